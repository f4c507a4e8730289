/** What is kept as evidence before LevelDB opens its store and changes it. */
import { copyFileSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
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
 * Copies the store as it is. Tables in use are linked: LevelDB deletes them at most. All else it writes anew, even
 * in place, so the bytes are copied: its lists, its logs, and tables that its list does not name.
 * @param tables names of the tables in use, as a scan of the store found them
 * @returns number of the copy
 */
export function keepEvidence(directory: string, tables: readonly string[]): number {
  const rescue = join(directory, RESCUE);
  const unfinished = join(rescue, UNFINISHED);
  try {
    copyStore(join(directory, STORE), unfinished, tables);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  const number = (copiesIn(rescue).at(-1) ?? 0) + 1;
  renameSync(unfinished, join(rescue, String(number)));
  syncDirectory(rescue);
  syncDirectory(directory);
  return number;
}

/** After an opening has succeeded: the newest copies stay. @param needless copy that shows nothing, if there is one */
export function settleEvidence(directory: string, needless: number | null): void {
  const rescue = join(directory, RESCUE);
  const numbers = copiesIn(rescue);
  const kept = numbers.filter((number) => number !== needless).slice(-COPIES_MAX);
  for (const number of numbers)
    if (!kept.includes(number)) rmSync(join(rescue, String(number)), { recursive: true });
}

/** On the disk when it returns. */
function copyStore(store: string, target: string, tables: readonly string[]): void {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true, mode: 0o750 });
  for (const name of readdirSync(store)) {
    const [from, to] = [join(store, name), join(target, name)];
    if (name === LEVELDB_LOCK) continue;
    if (tables.includes(name)) linkSync(from, to);
    else {
      copyFileSync(from, to);
      syncFile(to);
    }
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
