/**
 * The card reader port played straight on a virtual SE in this process: one simulated delay per command, and
 * losses on request.
 */
import { type Bytes, concat } from '../../../runtime/core/bytes.ts';
import { type Exchange, exchange } from '../../../runtime/core/card/apdu.ts';
import { asFault, Fault } from '../../../runtime/core/faults.ts';
import type { CardAction, CardReader, Clock, PlayOutcome } from '../../../runtime/core/ports.ts';
import type { VirtualSe } from './card.ts';

/** What a reader may do to one command: lose it before the card has it, lose the answer after the card has
 * carried it out, or stay silent after that until the deadline. */
export type Misbehaviour = 'lose-command' | 'lose-answer' | 'silence';

export interface SimulatedReaderOptions {
  readonly clock: Clock;
  /** The card that sits in the reader at this moment; null for an empty one. */
  readonly card: () => VirtualSe | null;
  /** Time from a command to its answer. */
  readonly commandMs?: number;
  readonly resetMs?: number;
  /** Asked before each command that would cross the wire; `nth` counts from 1 over the reader's life,
   * GET RESPONSE included. */
  readonly misbehave?: (nth: number, command: Bytes) => Misbehaviour | null;
}

/** Defaults: about what a fast contact card needs. */
const COMMAND_MS = 4;
const RESET_MS = 20;

export function createSimulatedReader(options: SimulatedReaderOptions): CardReader {
  const reader: Reader = { options, powered: null, commands: 0, closed: false };
  let playing = false;
  return {
    play: async (actions) => {
      if (playing) throw new Error('a list is under way in this reader');
      playing = true;
      try {
        return await play(reader, actions);
      } finally {
        playing = false;
      }
    },
    close: async () => {
      reader.closed = true;
      reader.powered?.powerOff();
      reader.powered = null;
    },
  };
}

interface Reader {
  readonly options: SimulatedReaderOptions;
  /** The card that has power from this reader. */
  powered: VirtualSe | null;
  commands: number;
  closed: boolean;
}

async function play(reader: Reader, actions: readonly CardAction[]): Promise<PlayOutcome> {
  const exchanges: Exchange[] = [];
  const commandsBefore = reader.commands;
  for (const action of actions) {
    try {
      exchanges.push(action.kind === 'cold-reset' ? await coldReset(reader) : await command(reader, action));
    } catch (error) {
      const fault = asFault(error, 'READER_FAILED');
      const untouched = exchanges.length === 0 && reader.commands === commandsBefore;
      return { outcome: untouched ? 'unsent' : 'unknown', exchanges, fault };
    }
  }
  return { outcome: 'played', exchanges };
}

/** @throws Fault CARD_ABSENT, READER_ABSENT */
async function coldReset(reader: Reader): Promise<Exchange> {
  seated(reader);
  await wait(reader, reader.options.resetMs ?? RESET_MS);
  const card = seated(reader);
  card.powerOff();
  const answer = card.powerOn();
  return { kind: 'cold-reset', command: new Uint8Array(0), answer, wire: [] };
}

/** One command to its end, GET RESPONSE included, within its deadline.
 * @throws Fault CARD_ABSENT, READER_ABSENT, CARD_OUTCOME_UNKNOWN, CARD_ANSWER_MALFORMED */
async function command(
  reader: Reader,
  action: { readonly command: Bytes; readonly deadlineMs: number },
): Promise<Exchange> {
  const { clock } = reader.options;
  const deadline = clock.monotonicMs() + action.deadlineMs;
  const script = exchange(action.command);
  let step = script.next();
  while (!step.done) {
    const answer = await transmit(reader, step.value, Math.max(0, deadline - clock.monotonicMs()));
    step = script.next(answer);
  }
  return step.value;
}

/** @throws Fault CARD_ABSENT, READER_ABSENT (not sent), CARD_OUTCOME_UNKNOWN */
async function transmit(reader: Reader, frame: Bytes, remainingMs: number): Promise<Bytes> {
  const { options } = reader;
  const commandMs = options.commandMs ?? COMMAND_MS;
  seated(reader);
  const nth = ++reader.commands;
  const loss = options.misbehave?.(nth, frame) ?? null;
  if (loss === 'lose-command') {
    await wait(reader, Math.min(commandMs, remainingMs));
    throw new Fault('CARD_OUTCOME_UNKNOWN', { command: nth });
  }
  const late = loss === 'silence' || commandMs > remainingMs;
  await wait(reader, late ? remainingMs : commandMs);
  const card = options.card();
  if (card === null) throw new Fault('CARD_OUTCOME_UNKNOWN', { command: nth });
  const answer = power(reader, card).transmit(frame);
  if (late || loss !== null || answer.length < 2) throw new Fault('CARD_OUTCOME_UNKNOWN', { command: nth });
  return concat(answer);
}

/** The card in the reader, with power. A card that was exchanged unnoticed gets power too: a handle does not
 * prove which card is behind it. @throws Fault CARD_ABSENT, READER_ABSENT */
function seated(reader: Reader): VirtualSe {
  if (reader.closed) throw new Fault('READER_ABSENT', { reader: 'simulated' });
  const card = reader.options.card();
  if (card === null) {
    reader.powered?.powerOff();
    reader.powered = null;
    throw new Fault('CARD_ABSENT', { reader: 'simulated' });
  }
  return power(reader, card);
}

function power(reader: Reader, card: VirtualSe): VirtualSe {
  if (reader.powered === card) return card;
  reader.powered?.powerOff();
  card.powerOn();
  reader.powered = card;
  return card;
}

function wait(reader: Reader, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    reader.options.clock.after(delayMs, resolve);
  });
}
