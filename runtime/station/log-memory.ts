/** What this station last verified of the fleet log: every station is a witness that it only grows. */
import { type Checkpoint, openCheckpoint } from '../core/log/checkpoint.ts';
import { open, type Statement } from '../core/messages/envelope.ts';
import { registration, rejection } from '../core/messages/receipts.ts';
import type { Fact } from '../core/operation/facts.ts';
import type { StationPorts } from './ports.ts';

export class LogMemory {
  #largest: Checkpoint | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #ports: Pick<StationPorts, 'trusted' | 'logKey' | 'crypto'>;

  constructor(ports: Pick<StationPorts, 'trusted' | 'logKey' | 'crypto'>) {
    this.#ports = ports;
  }

  /** The largest checkpoint that was verified here; null before the first. */
  get known(): Checkpoint | null {
    return this.#largest;
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

  /** A checkpoint of a receipt that was judged; whether it is durable yet matters to its own unit alone. */
  note(note: string): void {
    const checkpoint = openCheckpoint(note, this.#ports.logKey, this.#ports.crypto);
    if (checkpoint !== null && checkpoint.size > (this.#largest?.size ?? 0)) this.#largest = checkpoint;
  }

  /**
   * Takes the facts of the last run. The log only grows, and each nest asks for one receipt at a time: the largest
   * checkpoint is in one of the last receipts, and nobody need verify all of them again.
   */
  recall(facts: readonly Fact[], nests: number): void {
    const receipts = facts.filter(({ name }) => name === 'registered' || name === 'reject-registered');
    for (const fact of receipts.slice(-2 * nests)) this.learn(fact);
  }

  /** Takes a fact of the journal; receipts were judged before they got there. */
  learn(fact: Fact): void {
    if (fact.name === 'registered') this.#take(registration, fact.receipt);
    if (fact.name === 'reject-registered') this.#take(rejection, fact.receipt);
  }

  #take(kind: Statement, receipt: string): void {
    const { payload } = open(kind, receipt, this.#ports.trusted, this.#ports.crypto);
    this.note((payload as { checkpoint: string }).checkpoint);
  }
}
