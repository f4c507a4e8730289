/** What this station last verified of the fleet log: every station is a witness that it only grows. */
import { type Checkpoint, openCheckpoint } from '../core/log/checkpoint.ts';
import { open, type Statement } from '../core/messages/envelope.ts';
import { registration, rejection } from '../core/messages/receipts.ts';
import type { Fact } from '../core/operation/facts.ts';
import type { StationPorts } from './ports.ts';

export class LogMemory {
  #largest: Checkpoint | null = null;
  readonly #ports: Pick<StationPorts, 'trusted' | 'logKey' | 'crypto'>;

  constructor(ports: Pick<StationPorts, 'trusted' | 'logKey' | 'crypto'>) {
    this.#ports = ports;
  }

  /** The largest checkpoint whose receipt is durable here; null before the first. */
  get known(): Checkpoint | null {
    return this.#largest;
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
    const note = (payload as { checkpoint: string }).checkpoint;
    const checkpoint = openCheckpoint(note, this.#ports.logKey, this.#ports.crypto);
    if (checkpoint !== null && checkpoint.size > (this.#largest?.size ?? 0)) this.#largest = checkpoint;
  }
}
