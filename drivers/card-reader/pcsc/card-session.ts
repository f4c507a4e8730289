/**
 * One reader as its own process sees it: a context, an exclusive connection to the card, and lists played on it.
 * Only here is the native binding used.
 *
 * @see PC/SC part 5; pcscd(8)
 */
import type { CardInterface, ContextInterface } from 'smartcard';
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { type Exchange, exchange } from '../../../runtime/core/card/apdu.ts';
import { asFault, Fault, noteOf } from '../../../runtime/core/faults.ts';
import type { CardAction } from '../../../runtime/core/ports.ts';
import { commandFault, connectFault, endsProcess } from './pcsc-errors.ts';
import type { ReaderMessage, ReaderSettings } from './protocol.ts';

type Binding = typeof import('smartcard');
type Played = Extract<ReaderMessage, { kind: 'played' }>;

/** Longest answer: 64 KiB of an extended command and the status word. The binding's own default is 258. */
const ANSWER_BYTES_MAX = 65_538;

export class CardSession {
  readonly #binding: Binding;
  readonly #settings: ReaderSettings;
  readonly #onConnected: () => Promise<void>;
  /** Both are fields because the binding closes what nobody references. */
  #context: ContextInterface | null = null;
  #card: CardInterface | null = null;
  /** Commands handed to the reader in the present list. */
  #sent = 0;
  /** The card lost its power since the last cold reset: a list that continues one before would meet no session. */
  #interrupted: boolean;
  /** After an error that leaves nothing to rely on. */
  #ends = false;

  constructor(binding: Binding, settings: ReaderSettings, onConnected: () => Promise<void>) {
    this.#binding = binding;
    this.#settings = settings;
    this.#interrupted = settings.interrupted;
    this.#onConnected = onConnected;
  }

  async play(actions: readonly CardAction[]): Promise<Played> {
    const exchanges: Exchange[] = [];
    this.#sent = 0;
    for (const action of actions) {
      try {
        exchanges.push(await this.#perform(action));
      } catch (error) {
        const fault = asFault(error, 'READER_FAILED');
        const outcome = exchanges.length === 0 && this.#sent === 0 ? 'unsent' : 'unknown';
        return { kind: 'played', outcome, exchanges, fault: noteOf(fault), ends: this.#ends };
      }
    }
    return { kind: 'played', outcome: 'played', exchanges, ends: false };
  }

  async #perform(action: CardAction): Promise<Exchange> {
    const { connectDeadlineMs, defaultDeadlineMs } = this.#settings;
    if (this.#card === null) {
      this.#card = await this.#within(connectDeadlineMs, this.#connect());
      // The station must know before a command can leave: else it would take a loss for "unsent".
      await this.#onConnected();
    }
    const card = this.#card;
    if (action.kind === 'cold-reset') {
      const exchanged = await this.#within(defaultDeadlineMs, this.#coldReset(card));
      this.#interrupted = false;
      return exchanged;
    }
    if (this.#interrupted)
      throw new Fault('READER_FAILED', { reason: 'the card lost its power since the list before' });
    return this.#within(action.deadlineMs, this.#command(card, action.command));
  }

  /** @throws Fault READER_SERVICE_DOWN, READER_ABSENT, READER_IN_USE, CARD_ABSENT, READER_FAILED */
  async #connect(): Promise<CardInterface> {
    const { SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1 } = this.#binding;
    return this.#connecting(async () => {
      this.#context ??= new this.#binding.Context();
      const readers = this.#context.listReaders();
      const { readerName } = this.#settings;
      const exact = readers.filter(({ name }) => name === readerName);
      const matching = exact.length > 0 ? exact : readers.filter(({ name }) => name.includes(readerName));
      const [reader] = matching;
      if (reader === undefined || matching.length > 1)
        throw new Fault('READER_ABSENT', { reader: readerName, matches: matching.length });
      return reader.connect(SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1);
    });
  }

  /** Takes the card's power away and gives it back. The answer is the ATR. */
  async #coldReset(card: CardInterface): Promise<Exchange> {
    const atr = await this.#connecting(async () => {
      try {
        return await this.#unpower(card);
      } catch (error) {
        if (endsProcess(error)) throw error;
        // The handle's card is gone. Nothing was sent: a new connection finds out what sits there.
        this.#release();
        this.#card = await this.#connect();
        return this.#unpower(this.#card);
      }
    });
    return { kind: 'cold-reset', command: new Uint8Array(0), answer: atr, wire: [] };
  }

  async #unpower(card: CardInterface): Promise<Bytes> {
    const { SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1, SCARD_UNPOWER_CARD } = this.#binding;
    await card.reconnect(SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, SCARD_UNPOWER_CARD);
    const { atr } = card;
    if (atr === null) throw new Error('Card was removed');
    return atr;
  }

  async #command(card: CardInterface, command: Bytes): Promise<Exchange> {
    const script = exchange(command);
    let step = script.next();
    while (step.done !== true) step = script.next(await this.#transmit(card, step.value));
    return step.value;
  }

  /** @throws Fault CARD_OUTCOME_UNKNOWN for whatever is not an answer. */
  async #transmit(card: CardInterface, frame: Bytes): Promise<Bytes> {
    this.#sent++;
    let answer: Bytes;
    try {
      answer = await card.transmit(Buffer.from(frame), { maxRecvLength: ANSWER_BYTES_MAX });
    } catch (error) {
      this.#ends ||= endsProcess(error);
      if (!this.#ends) this.#release();
      throw commandFault(error);
    }
    if (answer.length >= 2) return answer;
    // A card that is pulled in mid-command gives success and no bytes.
    this.#release();
    throw new Fault('CARD_OUTCOME_UNKNOWN', { answerBytes: answer.length });
  }

  /** Gives the handle up, and with it the card's power: whatever it was doing, it forgets. */
  #release(): void {
    const card = this.#card;
    this.#card = null;
    this.#interrupted = true;
    try {
      card?.disconnect(this.#binding.SCARD_UNPOWER_CARD);
    } catch (error) {
      this.#ends ||= endsProcess(error);
    }
  }

  /** Errors of the binding as faults. */
  async #connecting<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof Fault) throw error;
      this.#ends ||= endsProcess(error);
      if (!this.#ends && this.#card !== null) this.#release();
      throw connectFault(error, { reader: this.#settings.readerName });
    }
  }

  /** A call into the binding cannot be cancelled: the process that made it ends. */
  async #within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.#ends = true;
        const code = this.#sent === 0 ? 'READER_FAILED' : 'CARD_OUTCOME_UNKNOWN';
        reject(new Fault(code, { deadlineMs }));
      }, deadlineMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
