/** Journals on a disk for tests: stopped as they should, or as after kill -9. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import type { Room } from '../../drivers/journal/space.ts';
import type { Genesis, NewEntry } from '../../runtime/core/journal/entry.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import { genesis, logOf } from './samples.ts';

export interface Place extends Disposable {
  readonly directory: string;
  /** What was warned of at its openings, file systems aside. */
  readonly warnings: string[];
  open(room?: Room): Promise<Journal & AsyncDisposable>;
  /** LevelDB's log. */
  log(): string;
}

/** A journal whose entries were written one by one, each in a write of its own. */
export async function written(
  entries: readonly NewEntry[],
  options: { readonly stop?: 'clean' | 'killed'; readonly genesis?: Genesis } = {},
): Promise<Place> {
  const top = mkdtempSync(join(tmpdir(), 'journal-place-'));
  const first = join(top, 'first');
  await provisionJournal(first, options.genesis ?? genesis);
  const killed = options.stop === 'killed';
  const place = placeAt(killed ? join(top, 'journal') : first, top);
  {
    await using journal = await placeAt(first, top).open();
    for (const entry of entries) await journal.append([entry]);
    // The disk as it is under an open journal is the disk after a kill. Its locks are no files' content.
    if (killed) cloneJournal(first, place.directory);
  }
  return place;
}

export function placeAt(directory: string, top = directory): Place {
  const warnings: string[] = [];
  return {
    directory,
    warnings,
    open: (room) =>
      openLeveldbJournal({
        directory,
        sha256: nodeCrypto.sha256,
        laboratoryFileSystem: true,
        ...(room === undefined ? {} : { room }),
        onWarning: (warning) => {
          if (!warning.startsWith('a power cut may lose')) warnings.push(warning);
        },
      }),
    log: () => logOf(directory),
    [Symbol.dispose]: () => rmSync(top, { recursive: true }),
  };
}

/** Everything but LevelDB's lock file: to read it would drop the lock of this very process. */
export function cloneJournal(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => basename(path) !== 'LOCK' });
}
