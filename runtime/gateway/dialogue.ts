/**
 * One dialogue with one chip through one station: the procedure runs here, in one readable function, and
 * stops at each APDU list until the station has brought all its answers.
 */
import { toBase64 } from '../core/bytes.ts';
import type { Exchange } from '../core/card/apdu.ts';
import { listHashOf, transcriptNext, transcriptStart } from '../core/card/transcript.ts';
import { asFault, Fault } from '../core/faults.ts';
import type { ApduList, DialogueAnswer } from '../core/messages/exchanges.ts';
import type { Crypto } from '../core/ports.ts';

/** What the station brought back for a list. */
export interface Played {
  readonly outcome: 'played' | 'unsent' | 'unknown';
  readonly exchanges: readonly Exchange[];
}

/** How the procedure talks to the chip. */
export interface Line {
  /** Resolves with the answers to all actions of the list.
   * @throws Fault CARD_OUTCOME_UNKNOWN when the list was not played to its end */
  play(list: ApduList): Promise<readonly Exchange[]>;
  /** Begins work when the next list has left, so that the unit does not wait for it: the chip works, and so do we. */
  meanwhile<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Hash over everything played so far. */
  transcriptHash(): string;
  /** APDUs exchanged so far. */
  exchanges(): number;
}

export type Conclusion = Exclude<DialogueAnswer, { readonly kind: 'list' }>;

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (fault: Fault) => void;
}

export class Dialogue {
  readonly id: string;
  readonly #instance: string;
  readonly #crypto: Crypto;
  #transcript: string;
  #count = 0;
  #answer: Waiting<DialogueAnswer> | null = null;
  #answers: Waiting<readonly Exchange[]> | null = null;
  #listHash = '';
  #actions: ApduList['actions'] = [];
  #step = 0;
  #deferred: (() => void)[] = [];
  #ended = false;

  constructor(options: {
    readonly id: string;
    readonly instance: string;
    readonly operation: string;
    readonly epoch: number;
    readonly crypto: Crypto;
  }) {
    this.id = options.id;
    this.#instance = options.instance;
    this.#crypto = options.crypto;
    this.#transcript = transcriptStart(options.operation, options.epoch, options.crypto);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Starts the procedure; resolves with what it says first. */
  begin(procedure: (line: Line) => Promise<Conclusion>): Promise<DialogueAnswer> {
    return this.#next(() => {
      const line: Line = {
        play: (list) => this.#play(list),
        meanwhile: (work) => this.#meanwhile(work),
        transcriptHash: () => this.#transcript,
        exchanges: () => this.#count,
      };
      procedure(line).then(
        (conclusion) => this.#finish((waiting) => waiting.resolve(conclusion)),
        (error: unknown) => this.#finish((waiting) => waiting.reject(asFault(error, 'UNEXPECTED'))),
      );
    });
  }

  /** What the procedure said last has left: now is the time for what it put off. */
  left(): void {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const begin of deferred) begin();
  }

  /** Brings the answers to list number `step`; resolves with what the procedure says next.
   * @throws Fault DIALOGUE_LOST when that list is not the one that waits */
  continue(step: number, played: Played): Promise<DialogueAnswer> {
    const waiting = this.#answers;
    if (waiting === null || step !== this.#step || this.#ended)
      return Promise.reject(new Fault('DIALOGUE_LOST', { step, expected: this.#step }));
    this.#answers = null;
    this.left();
    return this.#next(() => {
      this.#transcript = transcriptNext(this.#transcript, this.#listHash, played.exchanges, this.#crypto);
      this.#count += played.exchanges.reduce((sum, exchange) => sum + exchange.wire.length, 0);
      if (played.outcome === 'played' && !answersEach(this.#actions, played.exchanges))
        waiting.reject(new Fault('CARD_ANSWER_MALFORMED', { step, why: 'other commands than were issued' }));
      else if (played.outcome === 'played') waiting.resolve(played.exchanges);
      else waiting.reject(new Fault('CARD_OUTCOME_UNKNOWN', { outcome: played.outcome, step }));
    });
  }

  /** Ends a dialogue that nobody continues. */
  abandon(): void {
    this.#answers?.reject(new Fault('DIALOGUE_LOST', { why: 'no word from the station' }));
  }

  #next(start: () => void): Promise<DialogueAnswer> {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      start();
    });
  }

  #play(list: ApduList): Promise<readonly Exchange[]> {
    return new Promise((resolve, reject) => {
      this.#step += 1;
      this.#listHash = listHashOf(list, this.#crypto);
      this.#actions = list.actions;
      this.#answers = { resolve, reject };
      this.#answer?.resolve({ kind: 'list', dialogue: this.id, instance: this.#instance, list });
      this.#answer = null;
    });
  }

  /** Its failure counts where it is awaited; a dialogue that ends before needs it no longer. */
  #meanwhile<Result>(work: () => Promise<Result>): Promise<Result> {
    const begun = new Promise<Result>((resolve, reject) => {
      this.#deferred.push(() => void work().then(resolve, reject));
    });
    begun.catch(() => undefined); // Known where it is awaited.
    return begun;
  }

  #finish(say: (waiting: Waiting<DialogueAnswer>) => void): void {
    this.#ended = true;
    this.#deferred = [];
    if (this.#answer !== null) say(this.#answer);
    this.#answer = null;
  }
}

/** Whether there is one exchange for each action, in order, and each says that it sent what was issued. */
function answersEach(actions: ApduList['actions'], exchanges: readonly Exchange[]): boolean {
  return (
    exchanges.length === actions.length &&
    actions.every((action, i) => {
      const exchange = exchanges[i];
      if (action.kind === 'cold-reset' || exchange?.kind !== 'command') return exchange?.kind === action.kind;
      return toBase64(exchange.command) === action.command;
    })
  );
}
