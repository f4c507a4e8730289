/**
 * The simulated journal: the same rules over a store in memory that keeps what is past fsync apart from what is
 * not. Deterministic: time comes from the clock, failures when asked for.
 */
import { Fault } from '../../runtime/core/faults.ts';
import type { Genesis, Sha256 } from '../../runtime/core/journal/entry.ts';
import type { Clock, Journal } from '../../runtime/core/ports.ts';
import { openJournal } from './journal.ts';
import type { Change, KeyRange, OrderedStore } from './ordered-store.ts';

/** A disk with one journal on it. It outlives the journals that are opened on it. */
export interface JournalDisk {
  readonly genesis: Genesis;
  /** What a power cut leaves. A test may damage it. */
  readonly durable: Map<string, Uint8Array>;
  /** Number of the journal that is open, 0 for none: a killed process loses it with its lock. */
  holder: number;
  opened: number;
}

export interface InMemoryJournal extends Journal, AsyncDisposable {
  /**
   * The process is killed or the power goes: nothing under way ever settles, and the disk may be opened anew.
   * `kept`: whether the write that was under way had reached the disk.
   */
  crash(options?: { readonly kept: boolean }): void;
}

export interface InMemoryJournalOptions {
  readonly disk: JournalDisk;
  readonly clock: Clock;
  readonly sha256: Sha256;
  /** What one synced write takes. */
  readonly syncMs: number;
  /** The nth write of this journal, from 1, fails; `stored`: it is on the disk all the same. */
  readonly failWrite?: { readonly nth: number; readonly stored: boolean };
  readonly onWarning?: (warning: string) => void;
  /** Whether there is room for another unit; absent: always. */
  readonly hasRoom?: () => boolean;
}

export function createJournalDisk(genesis: Genesis): JournalDisk {
  return { genesis, durable: new Map(), holder: 0, opened: 0 };
}

/** @throws Fault JOURNAL_LOCKED, JOURNAL_DAMAGED */
export async function openInMemoryJournal(options: InMemoryJournalOptions): Promise<InMemoryJournal> {
  const { disk, sha256 } = options;
  if (disk.holder !== 0) throw new Fault('JOURNAL_LOCKED');
  const number = ++disk.opened;
  disk.holder = number;
  const release = (): void => {
    if (disk.holder === number) disk.holder = 0;
  };
  const store = createStore(options);
  let crashed = false;
  try {
    const onWarning = options.onWarning ?? (() => undefined);
    const requireRoom = (): void => {
      if (options.hasRoom?.() === false) throw new Fault('JOURNAL_SPACE_LOW');
    };
    const { genesis } = disk;
    const journal = await openJournal({ genesis, store, sha256, onWarning, requireRoom, release });
    return {
      journalId: journal.journalId,
      get cut() {
        return journal.cut;
      },
      append: (entries) => journal.append(entries),
      read: (from) => journal.read(from),
      unacknowledged: (limit) => journal.unacknowledged(limit),
      acknowledge: (sequence) => journal.acknowledge(sequence),
      giveUp: (sequence) => journal.giveUp(sequence),
      requireRoom: () => journal.requireRoom(),
      // What a killed process had under way never ends: nobody waits for it.
      [Symbol.asyncDispose]: async () => (crashed ? undefined : journal[Symbol.asyncDispose]()),
      crash: ({ kept } = { kept: false }) => {
        crashed = true;
        store.cut(kept);
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

interface SimulatedStore extends OrderedStore {
  cut(kept: boolean): void;
}

function createStore({ disk, clock, syncMs, failWrite }: InMemoryJournalOptions): SimulatedStore {
  const { durable } = disk;
  const keys = [...durable.keys()].sort();
  let underWay: { readonly changes: readonly Change[]; readonly cancel: () => void } | null = null;
  let writes = 0;
  let dead = false;
  const apply = (changes: readonly Change[]): void => {
    for (const change of changes) {
      const at = indexOf(keys, change.key);
      const present = keys[at] === change.key;
      if (change.type === 'put') durable.set(change.key, change.value);
      else durable.delete(change.key);
      if (change.type === 'put' && !present) keys.splice(at, 0, change.key);
      if (change.type === 'del' && present) keys.splice(at, 1);
    }
  };
  return {
    write: (changes) =>
      new Promise((resolve, reject) => {
        if (dead) return;
        const nth = ++writes;
        const cancel = clock.after(syncMs, () => {
          underWay = null;
          const failed = nth === failWrite?.nth;
          if (!failed || failWrite?.stored === true) apply(changes);
          if (failed) reject(new Error('the simulated disk failed'));
          else resolve();
        });
        underWay = { changes, cancel };
      }),
    get: async (key) => durable.get(key),
    range: (range) => walk(keys, durable, range),
    compact: async () => undefined,
    close: async () => undefined,
    cut: (kept) => {
      dead = true;
      underWay?.cancel();
      if (kept && underWay !== null) apply(underWay.changes);
      underWay = null;
    },
  };
}

async function* walk(
  keys: readonly string[],
  values: ReadonlyMap<string, Uint8Array>,
  range: KeyRange,
): AsyncGenerator<readonly (readonly [string, Uint8Array])[]> {
  yield keys
    .slice(indexOf(keys, range.gte), indexOf(keys, range.lt))
    .flatMap((key): (readonly [string, Uint8Array])[] => {
      const value = values.get(key);
      return value === undefined ? [] : [[key, value]];
    });
}

/** Where `key` stands or would stand in the sorted list. */
function indexOf(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
