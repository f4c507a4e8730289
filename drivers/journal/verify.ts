/** Where a store's chain stands, found out by reading all of it. */
import type { Sha256 } from '../../runtime/core/journal/entry.ts';
import type { OrderedStore } from './ordered-store.ts';
import {
  ANCHOR_KEY,
  damaged,
  decodeAnchor,
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
}

/**
 * Every entry, then what stands beside them: anchor and witness must name entries that are there, and exactly the
 * entries after the anchor carry an outbox marker. Each would show a lost end of the chain.
 * @throws Fault JOURNAL_DAMAGED naming the first bad sequence
 */
export async function verifyAll(
  store: OrderedStore,
  options: { readonly start: Tail; readonly sha256: Sha256; readonly mark?: Mark },
): Promise<State> {
  const { start, sha256 } = options;
  const anchor = decodeAnchor(await store.get(ANCHOR_KEY));
  const marks = [anchor, options.mark ?? null].filter((mark) => mark !== null);
  const kept = new Map([[-1, start.hash]]);
  const tail = await endOfChain(store.range(ENTRIES), start, sha256, (sequence, hash) => {
    if (marks.some((mark) => mark.sequence === sequence)) kept.set(sequence, hash);
  });
  for (const { sequence, hash } of marks)
    if (kept.get(sequence) !== hash)
      throw damaged(Math.min(sequence, tail.next), 'entries are missing or exchanged');
  let expected = (anchor?.sequence ?? -1) + 1;
  for await (const [key] of store.range(OUTBOX)) {
    if (key !== outboxKey(expected)) throw damaged(expected, 'the outbox marker is missing');
    expected++;
  }
  if (expected !== tail.next) throw damaged(Math.min(expected, tail.next), 'outbox and entries differ');
  return { tail, anchor };
}

/** @throws Fault JOURNAL_DAMAGED */
export async function hashAt(store: OrderedStore, sequence: number): Promise<string> {
  const stored = await store.get(entryKey(sequence));
  if (stored === undefined) throw damaged(sequence, 'the entry is missing');
  return hashIn(stored);
}
