/**
 * How much of a journal is kept. Only what the backend has acknowledged goes, whole visits from the oldest on, and never
 * of a visit that is open: the chain that is left begins after the last entry that went.
 */
import { type Counters, counted, NOTHING_COUNTED } from '../operation/counters.ts';
import type { Fact } from '../operation/facts.ts';
import { ENDS } from '../operation/gate.ts';
import type { EntryMark, JournalEntry } from './entry.ts';

/** Entries that go at once: what one write takes with it. */
export const CUT_ENTRIES_MAX = 2_048;
/** Fewer are not worth an entry and a write of their own: of a large journal, a small one, and on a disk nearly full. */
const WORTH = { large: 256, small: 4, pressed: 16 } as const;
/** Kept whatever the clock says, which may be years ahead, and however full the disk is. */
const KEPT_ALWAYS = 1_000;
const DAY_MS = 86_400_000;

export interface Keep {
  /** As many of the youngest entries stay, if they are not too old. */
  readonly entries: number;
  /** What is older goes, though there be room. */
  readonly days: number;
}

export type CutFact = Extract<Fact, { readonly name: 'cut' }>;

/** What may go by number, and before which time by age. */
export interface Surplus {
  /** At most so many of the oldest entries, whatever their age. */
  readonly byNumber: number;
  /** At most so many of those that are older than `olderThan`. */
  readonly byAge: number;
  /** Milliseconds since 1970, of the station's clock. */
  readonly olderThan: number;
  /** With fewer than so many the journal is not cut. */
  readonly least: number;
}

/**
 * @param present entries from the first that is still here to the last that the backend has acknowledged
 * @param pressed the disk is nearly full: whatever need not stay goes
 */
export function surplusOf(present: number, keep: Keep, nowMs: number, pressed: boolean): Surplus {
  const always = Math.min(keep.entries, KEPT_ALWAYS);
  const beyond = Math.max(0, present - (pressed ? always : keep.entries));
  const usual = Math.min(WORTH.large, Math.max(WORTH.small, Math.ceil(keep.entries / 8)));
  return {
    byNumber: Math.min(beyond, CUT_ENTRIES_MAX),
    byAge: Math.min(Math.max(0, present - always), CUT_ENTRIES_MAX),
    olderThan: nowMs - keep.days * DAY_MS,
    least: pressed ? Math.min(usual, WORTH.pressed) : usual,
  };
}

/**
 * Goes through the oldest entries, and finds the last place where the journal may be cut: where no visit was open, or,
 * where that is too far back, as among nests that relieve one another for ever, before any entry of a visit that is
 * open now.
 */
export class CutFinder {
  readonly #surplus: Surplus;
  readonly #openNow: ReadonlySet<string>;
  readonly #open = new Set<string>();
  #counters: Readonly<Record<string, Counters>>;
  #seen = 0;
  #blocked = false;
  #between: Found | null = null;
  #amid: Found | null = null;

  /** @param before what was counted up to the first entry. @param openNow visits that have not ended */
  constructor(surplus: Surplus, before: Readonly<Record<string, Counters>>, openNow: ReadonlySet<string>) {
    this.#surplus = surplus;
    this.#counters = before;
    this.#openNow = openNow;
  }

  /** @returns whether the next entry is wanted */
  take({ sequence, hash, at, fact }: Pick<JournalEntry, 'sequence' | 'hash' | 'at' | 'fact'>): boolean {
    const { byNumber, byAge, olderThan } = this.#surplus;
    this.#seen += 1;
    if (this.#seen > byNumber && (this.#seen > byAge || at >= olderThan)) return false;
    if (fact.nest !== null) this.#takeOfVisit(fact);
    if (this.#blocked) return false;
    const found = { upTo: { sequence, hash }, entries: this.#seen, counters: this.#counters };
    this.#amid = found;
    if (this.#open.size === 0) this.#between = found;
    return true;
  }

  #takeOfVisit(fact: Exclude<Fact, { readonly nest: null }>): void {
    if (this.#openNow.has(fact.visit)) this.#blocked = true;
    if (fact.name === 'arrived') this.#open.add(fact.visit);
    if (ENDS.includes(fact.name)) this.#open.delete(fact.visit);
    const before = this.#counters[fact.nest] ?? NOTHING_COUNTED;
    this.#counters = { ...this.#counters, [fact.nest]: counted(before, fact.name) };
  }

  get found(): Found | null {
    return [this.#between, this.#amid].find((at) => at !== null && at.entries >= this.#surplus.least) ?? null;
  }
}

interface Found {
  readonly upTo: EntryMark;
  /** How many go. */
  readonly entries: number;
  readonly counters: Readonly<Record<string, Counters>>;
}
