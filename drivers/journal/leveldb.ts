/**
 * The station's journal on disk: a directory with our lock, the genesis and LevelDB's store. One process at a
 * time; made by its own command, never by opening.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { asFault, Fault } from '../../runtime/core/faults.ts';
import { type Genesis, genesisHash, type Sha256 } from '../../runtime/core/journal/entry.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import { syncDirectory, syncFiles, writeSynced } from './durable-files.ts';
import { fileSystemOf, weaknessOf } from './file-system.ts';
import { openJournal } from './journal.ts';
import { GENESIS_FILE, openLeveldb, readGenesis, STORE } from './leveldb-store.ts';
import { LOCK_FILE, lockJournal } from './lock.ts';
import type { OrderedStore, Witness } from './ordered-store.ts';
import { keepTornLogs } from './rescue.ts';
import { createWitness, openWitness } from './witness.ts';

const sha256: Sha256 = (data) => createHash('sha256').update(data).digest();

/** The store until it is complete. */
const UNFINISHED = 'store.new';

/**
 * Makes an empty journal in `directory`, which may exist but hold none. The store appears last and by a rename:
 * what was interrupted can be begun again.
 * @throws Fault CONFIG_INVALID when there is a journal already, JOURNAL_LOCKED.
 */
export async function provisionJournal(directory: string, genesis: Genesis): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o750 });
  if (!existsSync(join(directory, LOCK_FILE))) writeSynced(join(directory, LOCK_FILE), '');
  const release = lockJournal(directory);
  try {
    if (existsSync(join(directory, STORE)))
      throw new Fault('CONFIG_INVALID', { directory, reason: 'there is a journal already' });
    const unfinished = join(directory, UNFINISHED);
    rmSync(unfinished, { recursive: true, force: true });
    writeSynced(join(directory, GENESIS_FILE), `${canonicalJson({ ...genesis })}\n`);
    createWitness(directory, { sequence: -1, hash: genesisHash(genesis, sha256) });
    const store = await openLeveldb(unfinished, { createIfMissing: true, errorIfExists: true });
    await store.close();
    syncFiles(unfinished);
    await rename(unfinished, join(directory, STORE));
    syncDirectory(directory);
    syncDirectory(dirname(directory));
  } finally {
    release();
  }
}

export interface LeveldbJournalOptions {
  readonly directory: string;
  readonly sha256: Sha256;
  /** Accepts a file system that may forget, and says so at every open. Never in production. */
  readonly laboratoryFileSystem: boolean;
  readonly onWarning: (warning: string) => void;
}

/** @throws Fault JOURNAL_MISSING, JOURNAL_LOCKED, JOURNAL_FILESYSTEM, JOURNAL_DAMAGED, JOURNAL_POISONED */
export async function openLeveldbJournal(options: LeveldbJournalOptions): Promise<Journal & AsyncDisposable> {
  const { directory, onWarning } = options;
  const genesis = readGenesis(directory);
  const release = lockJournal(directory);
  let store: OrderedStore | null = null;
  let witness: Witness | null = null;
  try {
    judgeFileSystem(options);
    witness = openWitness(directory);
    keepTornLogs(directory, onWarning);
    store = await openLeveldb(join(directory, STORE), { createIfMissing: false, errorIfExists: false });
    // LevelDB has begun a new log file and renamed CURRENT without syncing the directory.
    syncDirectory(join(directory, STORE));
    return await openJournal({ genesis, store, sha256: options.sha256, witness, onWarning, release });
  } catch (error) {
    await store?.close();
    witness?.close();
    release();
    throw asFault(error, 'JOURNAL_DAMAGED', { directory });
  }
}

/** @throws Fault JOURNAL_FILESYSTEM unless the laboratory accepts it. */
function judgeFileSystem(options: LeveldbJournalOptions): void {
  const fileSystem = fileSystemOf(options.directory);
  const weakness = weaknessOf(fileSystem);
  if (weakness === null) return;
  if (!options.laboratoryFileSystem)
    throw new Fault('JOURNAL_FILESYSTEM', { directory: options.directory, reason: weakness });
  options.onWarning(`a power cut may lose entries of this journal: ${weakness}`);
}
