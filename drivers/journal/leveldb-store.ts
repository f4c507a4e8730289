/**
 * LevelDB as the journal's store, through classic-level. Never made by opening, never mended: LevelDB's own
 * recovery hides losses. No snapshot or read-only mode: a tool reads a copy.
 */
import { Fault, type FaultCode } from '../../runtime/core/faults.ts';
import { syncDirectory } from './durable-files.ts';
import type { OrderedStore } from './ordered-store.ts';

/** LevelDB's directory inside the journal's; nothing of ours lies in it. */
export const STORE = 'store';
/** LevelDB's lock file: opening it, even to read, would drop the lock of a process that holds it. */
export const LEVELDB_LOCK = 'LOCK';
/** LevelDB's default, which measured best: larger buffers stall longer. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;

/** What a reader takes at once. */
const READ_ENTRIES = 512;
const READ_BYTES = 512 * 1024;

/**
 * @throws Fault JOURNAL_DAMAGED when it does not open; JOURNAL_POISONED when the disk is full, failing or read-only;
 * FILE_UNREADABLE when the system refuses
 */
export async function openLeveldb(
  directory: string,
  options: { readonly createIfMissing: boolean; readonly errorIfExists: boolean },
): Promise<OrderedStore> {
  const { Level } = await import('level');
  const level = new Level<string, Uint8Array>(directory, {
    ...options,
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    writeBufferSize: WRITE_BUFFER_BYTES,
  });
  try {
    await level.open();
  } catch (error) {
    const cause = (error as Error).cause as (Error & { readonly code?: string }) | undefined;
    const context = { store: cause?.code ?? null, file: directory };
    throw new Fault(codeOf(cause?.message ?? ''), context, { cause: error });
  }
  return {
    write: (changes) => level.batch([...changes], { sync: true }),
    get: (key) => level.get(key),
    range: (range) => inBatches(level.iterator({ ...range, highWaterMarkBytes: READ_BYTES })),
    compact: async ({ gte, lt }) => {
      await (level as unknown as Compacting).compactRange(gte, lt);
      // It may have begun a new log file.
      syncDirectory(directory);
    },
    close: () => level.close(),
  };
}

/** What classic-level has beyond the interface of all levels. */
interface Compacting {
  compactRange(start: string, end: string): Promise<void>;
}

/** Many at a time: each way into LevelDB and back costs more than most entries. The next are fetched meanwhile. */
async function* inBatches<Key, Value>(iterator: {
  nextv(size: number): Promise<[Key, Value][]>;
  close(): Promise<void>;
}): AsyncGenerator<readonly (readonly [Key, Value])[]> {
  const fetched = (): Promise<[Key, Value][]> => {
    const batch = iterator.nextv(READ_ENTRIES);
    batch.catch(() => undefined); // Thrown where it is awaited; nobody awaits it where the reader has stopped.
    return batch;
  };
  try {
    for (let next = fetched(); ; ) {
      const batch = await next;
      if (batch.length === 0) return;
      next = fetched();
      yield batch;
    }
  } finally {
    await iterator.close();
  }
}

/** LevelDB passes on what strerror(3) says. */
function codeOf(message: string): FaultCode {
  if (/No space left|Read-only file system|Input\/output error|quota exceeded/.test(message))
    return 'JOURNAL_POISONED';
  if (/Permission denied|Operation not permitted|Too many open files/.test(message)) return 'FILE_UNREADABLE';
  return 'JOURNAL_DAMAGED';
}
