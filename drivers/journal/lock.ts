/**
 * The journal's own lock, since LevelDB's falls as soon as its file is read. flock(2) belongs to the open file
 * description, so our descriptor keeps it after the helper has ended, and the kernel frees it with this process.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import { openingRefusalOf } from './refusal.ts';

/** Exit status of flock(1) when somebody else has the lock; chosen with -E. */
const TAKEN = 75;
const DEADLINE_MS = 5_000;
/** The descriptor's number inside the helper. */
const DESCRIPTOR = 3;

/** Name of the lock file in the journal's directory; never deleted, never replaced. */
export const LOCK_FILE = 'lock';

/** Returns the release. @throws Fault JOURNAL_LOCKED; FILE_UNREADABLE, JOURNAL_POISONED when the system refuses */
export function lockJournal(directory: string): () => void {
  const descriptor = openLock(join(directory, LOCK_FILE));
  const result = spawnSync('flock', ['-n', '-E', String(TAKEN), String(DESCRIPTOR)], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
    timeout: DEADLINE_MS,
  });
  if (result.status === 0) return () => closeSync(descriptor);
  closeSync(descriptor);
  if (result.status === TAKEN) throw new Fault('JOURNAL_LOCKED', { directory });
  throw new Fault('UNEXPECTED', { program: 'flock', status: result.status }, { cause: result.error });
}

function openLock(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw openingRefusalOf(error, file) ?? error;
  }
}
