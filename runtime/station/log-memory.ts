/** What this station last verified of the fleet log: every station is a witness that it only grows. */
import { type Checkpoint, openCheckpoint } from '../core/log/checkpoint.ts';
import { open, type Statement } from '../core/messages/envelope.ts';
import { registration, rejection } from '../core/messages/receipts.ts';
import type { Fact } from '../core/operation/facts.ts';
import type { StationPorts } from './ports.ts';

export class LogMemory {
  #largest: Checkpoint | null = null;
  #note: string | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #ports: Pick<StationPorts, 'trusted' | 'logKey' | 'crypto'>;

  constructor(ports: Pick<StationPorts, 'trusted' | 'logKey' | 'crypto'>) {
    this.#ports = ports;
  }

  /** The largest checkpoint that was verified here; null before the first. */
  get known(): Checkpoint | null {
    return this.#largest;
  }

  /** The same, as it was signed. */
  get note(): string | null {
    return this.#note;
  }

  /**
   * One receipt at a time, from the question to the judgement: each is judged from the one before it. Two nests that
   * asked together could be shown two histories, both grown from what was known, and never compare them.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const now = this.#turn.then(work, work);
    this.#turn = now;
    return now;
  }

  /**
   * Takes a fact of the journal; receipts were judged before they got there. The log only grows, and each nest asks
   * for one receipt at a time: after a start the last receipts are enough.
   */
  learn(fact: Fact): void {
    if (fact.name === 'registered') this.#take(registration, fact.receipt);
    if (fact.name === 'reject-registered') this.#take(rejection, fact.receipt);
    if (fact.name === 'cut' && fact.checkpoint !== null) this.keep(fact.checkpoint);
  }

  #take(kind: Statement, receipt: string): void {
    const { payload } = open(kind, receipt, this.#ports.trusted, this.#ports.crypto);
    this.keep((payload as { checkpoint: string }).checkpoint);
  }

  /** A checkpoint of a receipt that was judged; whether it is durable yet matters to its own unit alone. */
  keep(note: string): void {
    const checkpoint = openCheckpoint(note, this.#ports.logKey, this.#ports.crypto);
    if (checkpoint === null || checkpoint.size <= (this.#largest?.size ?? 0)) return;
    this.#largest = checkpoint;
    this.#note = note;
  }
}
