/** What is kept as evidence before LevelDB opens its store and changes it. */
import { linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory, syncFile } from './durable-files.ts';
import { LEVELDB_LOCK, STORE } from './leveldb-store.ts';

/** Numbered copies of the store, the newest with the highest number. */
export const RESCUE = 'rescue';
/** A copy until it is complete. */
const UNFINISHED = 'unfinished';
/** The oldest beyond these are removed. */
const COPIES_MAX = 2;

/**
 * Keeps the store as it is, in a directory of its own. Nothing is copied: LevelDB replaces and deletes what its list
 * names and never changes it, so links keep it, at no cost in time or room. It does write over files that its list does
 * not name, links and all: those leave the store once they are kept, as LevelDB would delete them.
 * @param unnamed names of such files, as a scan of the store found them
 * @returns number of the copy
 */
export function keepEvidence(directory: string, unnamed: readonly string[]): number {
  const rescue = join(directory, RESCUE);
  const unfinished = join(rescue, UNFINISHED);
  try {
    linkStore(join(directory, STORE), unfinished);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  const number = (copiesIn(rescue).at(-1) ?? 0) + 1;
  renameSync(unfinished, join(rescue, String(number)));
  syncDirectory(rescue);
  syncDirectory(directory);
  dropUnnamed(directory, unnamed);
  return number;
}

/** Before a further opening: what one that failed has begun, and no list names. */
export function dropUnnamed(directory: string, unnamed: readonly string[]): void {
  for (const name of unnamed) rmSync(join(directory, STORE, name));
  if (unnamed.length > 0) syncDirectory(join(directory, STORE));
}

/** After an opening has succeeded: the newest copies stay. @param needless copy that shows nothing, if there is one */
export function settleEvidence(directory: string, needless: number | null): void {
  const rescue = join(directory, RESCUE);
  const numbers = copiesIn(rescue);
  const kept = numbers.filter((number) => number !== needless).slice(-COPIES_MAX);
  for (const number of numbers)
    if (!kept.includes(number)) rmSync(join(rescue, String(number)), { recursive: true });
}

/** On the disk when it returns, also what a killed process had written and not synced. */
function linkStore(store: string, target: string): void {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true, mode: 0o750 });
  for (const name of readdirSync(store)) {
    if (name === LEVELDB_LOCK) continue;
    linkSync(join(store, name), join(target, name));
    if (!/\.(?:ldb|sst)$/.test(name)) syncFile(join(target, name));
  }
  syncDirectory(target);
}

/** Numbers of the complete copies, ascending. */
function copiesIn(rescue: string): readonly number[] {
  return readdirSync(rescue)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}
