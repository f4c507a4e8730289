/**
 * The marker of a process that has the journal open. It is there before LevelDB opens its store and goes after a
 * clean close: whoever finds it knows that the last process was killed, or that the power went.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory, writeSynced } from './durable-files.ts';

export const RUNNING_FILE = 'running';
const OPEN = 'open\n';
/** The store was copied, and no opening has succeeded since: a second copy would show less than the first. */
const COPIED = 'copied\n';

/** `copied`: unclean, and the evidence of it is kept already. */
export type LastStop = 'clean' | 'unclean' | 'copied';

export function lastStop(directory: string): LastStop {
  const file = join(directory, RUNNING_FILE);
  if (!existsSync(file)) return 'clean';
  return readFileSync(file, 'latin1') === COPIED ? 'copied' : 'unclean';
}

/** On the disk when it returns. */
export function markRunning(directory: string, state: 'open' | 'copied'): void {
  writeSynced(join(directory, RUNNING_FILE), state === 'open' ? OPEN : COPIED);
  syncDirectory(directory);
}

/** After a clean close, and on the disk when it returns. */
export function markStopped(directory: string): void {
  rmSync(join(directory, RUNNING_FILE), { force: true });
  syncDirectory(directory);
}
