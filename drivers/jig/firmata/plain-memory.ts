/** The memory of a gate that this driver plays by itself: a file, for all connections of one process. */

import type { MemoryStore } from '../controller/machine.ts';
import { openStateFile } from '../controller/state-file.ts';

const MINUTE_MS = 60_000;

/**
 * Boots are counted from the clock's minutes at least, so that names go on where the file was lost and where the
 * clock went back. A name comes again only if the file is lost within the minute, or after more connections than
 * the clock counts minutes.
 * @throws Error when the file is there and is not such a memory
 */
export function openPlainMemory(path: string, nowMs: number): MemoryStore {
  const file = openStateFile(path);
  const found = file.load();
  let kept = { ...found, boots: Math.max(found.boots, Math.floor(nowMs / MINUTE_MS)) };
  let written: Promise<void> = Promise.resolve();
  return {
    load: () => kept,
    // One write after the other: the gate of a lost connection may still be at its last one.
    save: (memory) => {
      kept = memory;
      written = written.then(() => file.save(memory));
      return written;
    },
  };
}
