/** What the journal asks of the store under it, and of the file beside that. */
import type { Mark } from './stored.ts';

export type Change =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

export interface KeyRange {
  readonly gte: string;
  readonly lt: string;
}

/** What the journal asks of its store. */
export interface OrderedStore {
  /** All or nothing; resolves past fsync. */
  write(changes: readonly Change[]): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** In the order of the keys, as it is when reading begins; many at a time. */
  range(range: KeyRange): AsyncIterable<readonly (readonly [key: string, value: Uint8Array])[]>;
  /** Gives back the room of what was deleted there. Writes go on meanwhile. */
  compact(range: KeyRange): Promise<void>;
  close(): Promise<void>;
}

/** Remembers outside the store that an entry was written: what a store has lost it cannot tell. */
export interface Witness {
  /** As it stood when it was opened. */
  readonly mark: Mark;
  /** Resolves past fsync; at once for the mark that was written last. */
  write(mark: Mark): Promise<void>;
  close(): void;
}
