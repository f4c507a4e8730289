/** How entries lie in the store, and how they are verified while read: over the stored bytes, without gaps. */
import { Fault } from '../../runtime/core/faults.ts';
import type { EntryMark, Genesis, JournalEntry, NewEntry, Sha256 } from '../../runtime/core/journal/entry.ts';

/** Enough for every safe integer, so that keys sort as their numbers do. */
const DIGITS = 16;
const HASH_DIGITS = 64;
const HASH_BYTES = 32;
const SEQUENCE_BYTES = 8;
const SPACE = 0x20;

/** One entry: its text, a space, its hash. */
export const entryKey = (sequence: number): string => `j!${String(sequence).padStart(DIGITS, '0')}`;
/** Stands beside its entry until the entry has arrived upstream. */
export const outboxKey = (sequence: number): string => `o!${String(sequence).padStart(DIGITS, '0')}`;
/** The last entry that has arrived upstream. */
export const ANCHOR_KEY = 'anchor';
/** The last entry that was given up; the chain begins after it. */
export const CUT_KEY = 'cut';
/** Above every key that starts with the prefix and a digit. */
export const ENTRIES = { gte: 'j!', lt: 'j"' } as const;
export const OUTBOX = { gte: 'o!', lt: 'o"' } as const;

/** Where a chain stands: the next sequence, and the hash that the next entry continues. */
export interface Tail {
  readonly next: number;
  readonly hash: string;
}

/** Names an entry that must be there. Sequence -1: none yet, the hash is the genesis's. */
export type Mark = EntryMark;

/** What was given up, and the entry that said so beforehand. */
export interface Cut extends EntryMark {
  readonly by: number;
}

export function encodeEntry(entry: JournalEntry): Uint8Array {
  return Buffer.from(`${entry.text} ${entry.hash}`, 'utf8');
}

/** @throws Fault JOURNAL_DAMAGED when the bytes are not the entry that follows `tail`. */
export function decodeEntry(stored: Uint8Array, tail: Tail, sha256: Sha256): JournalEntry {
  return decodeVerified(stored, { sequence: tail.next, hash: requireNext(stored, tail, sha256) });
}

/** @param stored bytes that were verified to be the entry of this mark. @throws Fault JOURNAL_DAMAGED */
export function decodeVerified(stored: Uint8Array, { sequence, hash }: Mark): JournalEntry {
  const text = decodeText(stored.subarray(0, stored.length - HASH_DIGITS - 1), sequence);
  const { at, fact, ...told } = JSON.parse(text) as NewEntry & { sequence: number };
  if (told.sequence !== sequence) throw damaged(sequence, 'the entry carries another number');
  return { at, fact, sequence, text, hash };
}

/** The hash of the stored entry that follows `tail`, over the bytes as they lie there. @throws Fault JOURNAL_DAMAGED */
function requireNext(stored: Uint8Array, tail: Tail, sha256: Sha256): string {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  const at = stored.length - HASH_DIGITS - 1;
  const chained = Buffer.allocUnsafe(HASH_BYTES + SEQUENCE_BYTES + Math.max(0, at));
  chained.write(tail.hash, 'hex');
  chained.writeBigUInt64BE(BigInt(tail.next), HASH_BYTES);
  bytes.copy(chained, HASH_BYTES + SEQUENCE_BYTES, 0, Math.max(0, at));
  const hash = bytes.toString('latin1', Math.max(0, at + 1));
  const digest = sha256(chained);
  if (
    stored[at] !== SPACE ||
    Buffer.from(digest.buffer, digest.byteOffset, HASH_BYTES).toString('hex') !== hash
  )
    throw damaged(tail.next, 'the entry does not continue the chain');
  return hash;
}

type Stored = AsyncIterable<readonly (readonly [key: string, value: Uint8Array])[]>;

/**
 * The entries from `tail` up to `end` (exclusive; absent: all there are), verified one by one.
 * @throws Fault JOURNAL_DAMAGED at the first that is missing or changed, or when the store fails.
 */
export async function* verified(
  stored: Stored,
  options: { readonly tail: Tail; readonly end?: number; readonly sha256: Sha256 },
): AsyncGenerator<JournalEntry> {
  let tail = options.tail;
  try {
    for await (const batch of stored)
      for (const [key, value] of batch) {
        if (key !== entryKey(tail.next)) throw damaged(tail.next, 'the entry is missing');
        const entry = decodeEntry(value, tail, options.sha256);
        yield entry;
        tail = { next: entry.sequence + 1, hash: entry.hash };
      }
  } catch (error) {
    throw readingFault(error, tail);
  }
  if (options.end !== undefined && tail.next < options.end) throw damaged(tail.next, 'the entry is missing');
}

/** What is told of an entry that was verified. `stored`: its bytes, for the time of the call. */
export type OnEntry = (mark: Mark, stored: Uint8Array) => void;

/**
 * Where the chain from `start` ends. Every entry is verified over its bytes.
 * @throws Fault JOURNAL_DAMAGED as `verified` does
 */
export async function endOfChain(
  stored: Stored,
  start: Tail,
  sha256: Sha256,
  onEntry: OnEntry,
): Promise<Tail> {
  let { next, hash } = start;
  try {
    for await (const batch of stored)
      for (const [key, value] of batch) {
        if (key !== entryKey(next)) throw damaged(next, 'the entry is missing');
        hash = requireNext(value, { next, hash }, sha256);
        onEntry({ sequence: next, hash }, value);
        next += 1;
      }
  } catch (error) {
    throw readingFault(error, { next, hash });
  }
  return { next, hash };
}

function readingFault(error: unknown, { next }: Tail): Fault {
  return error instanceof Fault ? error : damaged(next, 'the store cannot be read', error);
}

/** The hash of a stored entry, unverified: what the entry after it must continue. */
export function hashIn(stored: Uint8Array): string {
  return Buffer.from(stored.subarray(-HASH_DIGITS)).toString('latin1');
}

export function decodeGenesis(text: string): Genesis {
  const { journal, station, created } = parse(text, 'genesis') as Partial<Genesis>;
  if (journal === undefined || station === undefined || created === undefined)
    throw new Fault('JOURNAL_DAMAGED', { file: 'genesis' });
  return { journal, station, created };
}

/** Null for a journal of which nothing has arrived upstream. */
export function decodeAnchor(stored: Uint8Array | undefined): Mark | null {
  if (stored === undefined) return null;
  const { sequence, hash } = parse(Buffer.from(stored).toString('utf8'), ANCHOR_KEY) as Partial<Mark>;
  if (sequence === undefined || hash === undefined) throw new Fault('JOURNAL_DAMAGED', { key: ANCHOR_KEY });
  return { sequence, hash };
}

/** Null for a journal of which nothing was given up. @throws Fault JOURNAL_DAMAGED */
export function decodeCut(stored: Uint8Array | undefined): Cut | null {
  if (stored === undefined) return null;
  const { sequence, hash, by } = parse(Buffer.from(stored).toString('utf8'), CUT_KEY) as Partial<Cut>;
  if (sequence === undefined || hash === undefined || by === undefined)
    throw new Fault('JOURNAL_DAMAGED', { key: CUT_KEY });
  return { sequence, hash, by };
}

/** What a stored entry says is to be given up; null for any other entry, and for bytes that are none. */
export function cutIn(stored: Uint8Array | undefined): EntryMark | null {
  if (stored === undefined) return null;
  const { fact } = parse(decodeText(stored.subarray(0, -HASH_DIGITS - 1), -1), 'entry') as Partial<NewEntry>;
  return fact?.name === 'cut' ? fact.upTo : null;
}

export function damaged(sequence: number, reason: string, cause?: unknown): Fault {
  return new Fault('JOURNAL_DAMAGED', { sequence, reason }, { cause });
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault('JOURNAL_DAMAGED', { file: what }, { cause: error });
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeText(stored: Uint8Array, sequence: number): string {
  try {
    return utf8.decode(stored);
  } catch (error) {
    throw damaged(sequence, 'the entry is not text', error);
  }
}
