/** A station in wrong hands: its reader does at one place of one APDU list what it should not. */
import { toHex } from '../../runtime/core/bytes.ts';
import type { Exchange } from '../../runtime/core/card/apdu.ts';
import type { CardAction, CardReader, PlayOutcome } from '../../runtime/core/ports.ts';

/** Where: lists count from 1, the station's own identification left out; actions from 0. */
export interface Place {
  readonly list: number;
  readonly action: number;
}

/** What was honestly sent and answered at each place. */
export type Seen = Place & { readonly command: string; readonly answer: string };

type Answers = readonly Exchange[];
/** @param previous the exchange before this one, if any */
type Misdeed = (means: {
  readonly play: (actions: readonly CardAction[]) => Promise<Answers>;
  readonly actions: readonly CardAction[];
  readonly at: number;
}) => Promise<Answers>;

const SUCCESS = [0x90, 0x00];
const REFUSED = [0x69, 0x85];

/** Plays all honestly, then says something else at the place. */
const saying =
  (change: (exchange: Exchange, all: Answers, at: number) => Uint8Array): Misdeed =>
  async ({ play, actions, at }) => {
    const all = await play(actions);
    return all.map((exchange, i) => (i === at ? answered(exchange, change(exchange, all, i)) : exchange));
  };

/** Sends another list, and says that it sent the one it was given. */
const sending =
  (change: (actions: readonly CardAction[], at: number) => readonly CardAction[]): Misdeed =>
  async ({ play, actions, at }) => {
    const all = await play(change(actions, at));
    return actions.map((action, i) => claimed(action, all[i]));
  };

export const misdeeds = {
  'alters the command': sending((actions, at) =>
    actions.map((action, i) =>
      i === at && action.kind === 'command' ? { ...action, command: flipped(action.command, 5) } : action,
    ),
  ),
  'alters the answer': saying(({ answer }) => flipped(answer, 0)),
  'alters the end of the answer': saying(({ answer }) => flipped(answer, Math.max(0, answer.length - 3))),
  'alters the status word': saying(({ answer }) => {
    const done = answer.at(-2) === SUCCESS[0];
    return Uint8Array.of(...answer.subarray(0, -2), ...(done ? REFUSED : SUCCESS));
  }),
  'gives the answer before': saying(
    (exchange, all, at) => all[at - 1]?.answer ?? flipped(exchange.answer, 0),
  ),
  'does not send the command': async ({ play, actions, at }) => {
    const sent = await play(actions.filter((_, i) => i !== at));
    const all = [...sent.slice(0, at), undefined, ...sent.slice(at)];
    return actions.map((action, i) => claimed(action, all[i]));
  },
  'sends the command twice': async ({ play, actions, at }) => {
    const sent = await play(actions.flatMap((action, i) => (i === at ? [action, action] : [action])));
    const all = [...sent.slice(0, at), ...sent.slice(at + 1)];
    return actions.map((action, i) => claimed(action, all[i]));
  },
  'sends it after the next': async ({ play, actions, at }) => {
    const order = actions.map((_, i) => (i === at ? at + 1 : i === at + 1 ? at : i));
    const swapped = order.filter((i) => i < actions.length);
    const sent = await play(swapped.flatMap((i) => actions.slice(i, i + 1)));
    return actions.map((action, i) => claimed(action, sent[swapped.indexOf(i)]));
  },
} as const satisfies Record<string, Misdeed>;

export type MisdeedName = keyof typeof misdeeds;

/** Honest but for one misdeed at one place; `seen` gets what is played from the first list on. */
export function rogueReader(
  reader: CardReader,
  rogue: { readonly misdeed: MisdeedName; readonly place: Place } | null,
  seen: Seen[] = [],
): CardReader {
  let list = -1; // The station's own identification is list 0.
  return {
    close: () => reader.close(),
    play: async (actions) => {
      if (actions.at(-1)?.kind === 'command') list++; // A lone cold reset looks for the reader.
      if (rogue === null || rogue.place.list !== list) {
        const played = await reader.play(actions);
        if (list > 0)
          played.exchanges.forEach(({ command, answer }, action) => {
            seen.push({ list, action, command: toHex(command), answer: toHex(answer) });
          });
        return played;
      }
      const play = async (changed: readonly CardAction[]): Promise<Answers> =>
        (await reader.play(changed)).exchanges;
      const exchanges = await misdeeds[rogue.misdeed]({ play, actions, at: rogue.place.action });
      return { outcome: 'played', exchanges } satisfies PlayOutcome;
    },
  };
}

/** As if this action had been sent and answered so; without an exchange, as if it had succeeded. */
function claimed(action: CardAction, exchange: Exchange | undefined): Exchange {
  const command = action.kind === 'command' ? action.command : new Uint8Array(0);
  const answer = exchange?.answer ?? Uint8Array.of(...SUCCESS);
  return { kind: action.kind, command, answer, wire: [{ command, answer }] };
}

function answered(exchange: Exchange, answer: Uint8Array): Exchange {
  const { command } = exchange;
  return { ...exchange, answer, wire: [{ command, answer }] };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const place = Math.min(at, bytes.length - 1);
  return bytes.map((byte, i) => (i === place ? byte ^ 0x01 : byte));
}
