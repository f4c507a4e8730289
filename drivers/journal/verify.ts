/** Where a store's chain stands, found out by reading all of it. */
import type { JournalEntry, Sha256 } from '../../runtime/core/journal/entry.ts';
import type { OrderedStore } from './ordered-store.ts';
import {
  ANCHOR_KEY,
  CUT_KEY,
  type Cut,
  cutIn,
  damaged,
  decodeAnchor,
  decodeCut,
  decodeVerified,
  ENTRIES,
  endOfChain,
  entryKey,
  hashIn,
  type Mark,
  OUTBOX,
  outboxKey,
  type Tail,
} from './stored.ts';

export interface State {
  readonly tail: Tail;
  /** The last entry that has arrived upstream. */
  readonly anchor: Mark | null;
  /** What was given up; null while the first entry is still there. */
  readonly cut: Cut | null;
}

/**
 * Every entry, then what stands beside them: anchor and witness must name entries that are there, and exactly the
 * entries after the anchor carry an outbox marker. Each would show a lost end of the chain. A lost beginning shows too:
 * a chain begins after another entry than the genesis only where an acknowledged entry of it says so.
 * @throws Fault JOURNAL_DAMAGED naming the first bad sequence
 */
export async function verifyAll(
  store: OrderedStore,
  options: {
    readonly start: Tail;
    readonly sha256: Sha256;
    readonly mark?: Mark;
    readonly onEntry?: ((entry: JournalEntry) => void) | undefined;
  },
): Promise<State> {
  const { sha256, onEntry } = options;
  const anchor = decodeAnchor(await store.get(ANCHOR_KEY));
  const marks = [anchor, options.mark ?? null].filter((mark) => mark !== null);
  const cut = decodeCut(await store.get(CUT_KEY));
  const start = startOf(cut, options.start);
  const kept = new Map([[start.next - 1, start.hash]]);
  let said: Mark | null = null;
  const tail = await endOfChain(store.range(ENTRIES), start, sha256, (mark, stored) => {
    const { sequence, hash } = mark;
    if (marks.some((known) => known.sequence === sequence)) kept.set(sequence, hash);
    if (sequence === cut?.by) said = cutIn(stored);
    onEntry?.(decodeVerified(stored, mark));
  });
  if (cut !== null) requireSaid(cut, said, anchor);
  for (const { sequence, hash } of marks)
    if (kept.get(sequence) !== hash)
      throw damaged(Math.min(sequence, tail.next), 'entries are missing or exchanged');
  let expected = (anchor?.sequence ?? -1) + 1;
  for await (const markers of store.range(OUTBOX))
    for (const [key] of markers) {
      if (key !== outboxKey(expected)) throw damaged(expected, 'the outbox marker is missing');
      expected++;
    }
  if (expected !== tail.next) throw damaged(Math.min(expected, tail.next), 'outbox and entries differ');
  return { tail, anchor, cut };
}

/** Where a chain begins. */
export function startOf(cut: Cut | null, first: Tail): Tail {
  return cut === null ? first : { next: cut.sequence + 1, hash: cut.hash };
}

/** @throws Fault JOURNAL_DAMAGED */
function requireSaid(cut: Cut, said: Mark | null, anchor: Mark | null): void {
  if (said?.sequence !== cut.sequence || said.hash !== cut.hash || (anchor?.sequence ?? -1) < cut.by)
    throw damaged(cut.sequence, 'its beginning is missing, and no acknowledged entry gives it up');
}

/** @throws Fault JOURNAL_DAMAGED */
export async function hashAt(store: OrderedStore, sequence: number): Promise<string> {
  const stored = await store.get(entryKey(sequence));
  if (stored === undefined) throw damaged(sequence, 'the entry is missing');
  return hashIn(stored);
}
