/** What a station takes from its journal when it starts: as little as it needs, however long the journal is. */
import type { EntryMark, JournalEntry } from '../core/journal/entry.ts';
import type { CutFact } from '../core/journal/retention.ts';
import { type Counters, counted, NOTHING_COUNTED, sumOf } from '../core/operation/counters.ts';
import type { Fact } from '../core/operation/facts.ts';
import { ENDS } from '../core/operation/gate.ts';
import type { Journal } from '../core/ports.ts';

/** Facts kept of visits that ended. */
const FACTS_KEPT = 256;

/** An entry that says what is to be given up. */
export interface Announcement {
  readonly sequence: number;
  readonly fact: CutFact;
}

/** What the journal holds, read as a whole. @throws Fault JOURNAL_DAMAGED */
export async function pastIn(journal: Journal, nests: number): Promise<Past> {
  const past = new Past(nests);
  for await (const entry of journal.read()) past.take(entry);
  return past;
}

export class Past {
  readonly #receiptsMax: number;
  readonly #facts = new Map<string, Fact[]>();
  readonly #counters = new Map<string, Counters>();
  readonly #receipts: Fact[] = [];
  readonly #announcements: Announcement[] = [];
  #shift: string | null = null;

  /** @param nests how many there are: each asks for one receipt at a time */
  constructor(nests: number) {
    this.#receiptsMax = 2 * nests;
  }

  /** Every entry, in order. */
  take({ sequence, fact }: Pick<JournalEntry, 'sequence' | 'fact'>): void {
    if (fact.name === 'cut') {
      this.#announcements.push({ sequence, fact });
      this.#shift = fact.shift ?? null;
    }
    if (fact.name === 'signed-in') this.#shift = fact.receipt;
    if (fact.name === 'signed-out') this.#shift = null;
    if (fact.name === 'registered' || fact.name === 'reject-registered') {
      this.#receipts.push(fact);
      if (this.#receipts.length > this.#receiptsMax) this.#receipts.shift();
    }
    if (fact.nest === null) return;
    this.#counters.set(fact.nest, counted(this.#counters.get(fact.nest) ?? NOTHING_COUNTED, fact.name));
    const facts = this.#facts.get(fact.nest) ?? [];
    this.#facts.set(fact.nest, facts);
    facts.push(fact);
    if (facts.length > 2 * FACTS_KEPT && ENDS.includes(fact.name)) facts.splice(0, facts.length - FACTS_KEPT);
  }

  /** Of the visit in progress, and of some before it. */
  factsOf(nest: string): readonly Fact[] {
    return this.#facts.get(nest) ?? [];
  }

  /** Receipt of the shift that nobody has ended; null for none. */
  get shift(): string | null {
    return this.#shift;
  }

  /** The receipts in one of which the largest checkpoint is, and what the cuts kept of older ones. */
  get receipts(): readonly Fact[] {
    return [...this.#announcements.map(({ fact }) => fact), ...this.#receipts];
  }

  /** What each nest has seen, also in entries that were given up. @param cut where the journal begins */
  countersUpTo(cut: EntryMark | null): ReadonlyMap<string, Counters> {
    const before = new Map(Object.entries(this.cutAt(cut)?.counters ?? {}));
    for (const [nest, counters] of this.#counters)
      before.set(nest, sumOf(before.get(nest) ?? NOTHING_COUNTED, counters));
    return before;
  }

  /** The announcement of a cut that was made. */
  cutAt(cut: EntryMark | null): CutFact | null {
    return this.#announcements.find(({ fact }) => fact.upTo.sequence === cut?.sequence)?.fact ?? null;
  }

  /** The last cut that was announced and not made. */
  announcedAfter(cut: EntryMark | null): Announcement | null {
    return this.#announcements.findLast(({ fact }) => fact.upTo.sequence > (cut?.sequence ?? -1)) ?? null;
  }
}
