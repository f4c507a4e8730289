/** Where each nest of a station stands, folded from its journal as the station itself folds it. */
import type { FaultNote } from '../../core/faults.ts';
import type { JournalEntry } from '../../core/journal/entry.ts';
import { type Counters, counted, NOTHING_COUNTED, sumOf } from '../../core/operation/counters.ts';
import type { Fact, FactName } from '../../core/operation/facts.ts';
import { recover } from '../../core/operation/step.ts';
import type { State } from '../../core/operation/transitions.ts';
import { saidIn } from '../journal/statement.ts';

export interface NestState {
  readonly nest: string;
  readonly state: State;
  /** When the last fact of this nest was written, milliseconds since 1970; null before the first. */
  readonly sinceMs: number | null;
  readonly unit: UnitState | null;
  readonly held: HoldState | null;
  readonly counters: Counters;
}

/** The unit in the nest. */
export interface UnitState {
  readonly arrivedMs: number;
  /** Null until it is identified. */
  readonly eid: string | null;
  readonly operation: string | null;
  readonly epoch: number | null;
}

export interface HoldState {
  readonly fault: FaultNote;
  /** When this visit was held for the first time. */
  readonly firstMs: number;
  /** How often this visit was held. */
  readonly holds: number;
}

const ENDS: ReadonlySet<FactName> = new Set(['released', 'diverted', 'interrupted']);

/** Takes the facts of one nest in order; keeps those of the visit in progress. */
export class NestFold {
  readonly #nest: string;
  #counters = NOTHING_COUNTED;
  #visit: { readonly at: number; readonly fact: Fact }[] = [];
  #lastMs: number | null = null;

  constructor(nest: string) {
    this.#nest = nest;
  }

  /** Adds what was counted in entries that are no longer there. */
  add(before: Counters): void {
    this.#counters = sumOf(before, this.#counters);
  }

  take({ at, fact }: Pick<JournalEntry, 'at' | 'fact'>): void {
    this.#counters = counted(this.#counters, fact.name);
    this.#lastMs = at;
    this.#visit.push({ at, fact });
    if (ENDS.has(fact.name) && this.#state() === 'vacant') this.#visit = [];
  }

  view(): NestState {
    const state = this.#state();
    return {
      nest: this.#nest,
      state,
      sinceMs: this.#lastMs,
      unit: state === 'vacant' ? null : this.#unit(),
      held: this.#held(),
      counters: this.#counters,
    };
  }

  #state(): State {
    return recover(this.#visit.map(({ fact }) => fact.name)).state;
  }

  #unit(): UnitState | null {
    const arrived = this.#visit.find(({ fact }) => fact.name === 'arrived');
    if (arrived === undefined) return null;
    let eid: string | null = null;
    let reserved: Readonly<Record<string, unknown>> = {};
    for (const { fact } of this.#visit) {
      if (fact.name === 'identified') eid = fact.identity.eid;
      if (fact.name === 'reserved') reserved = saidIn(fact.receipt);
    }
    const { operation, epoch } = reserved;
    return {
      arrivedMs: arrived.at,
      eid,
      operation: typeof operation === 'string' ? operation : null,
      epoch: typeof epoch === 'number' ? epoch : null,
    };
  }

  /** Only while the hold is the last word. */
  #held(): HoldState | null {
    const last = this.#visit.at(-1)?.fact;
    if (last?.name !== 'held') return null;
    const holds = this.#visit.filter(({ fact }) => fact.name === 'held');
    return { fault: last.fault, firstMs: holds[0]?.at ?? 0, holds: holds.length };
  }
}
