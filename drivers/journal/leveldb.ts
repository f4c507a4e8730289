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
import {
  type Genesis,
  genesisHash,
  type JournalEntry,
  type Sha256,
} from '../../runtime/core/journal/entry.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import { syncDirectory, syncFiles, writeSynced } from './durable-files.ts';
import { fileSystemOf, weaknessOf } from './file-system.ts';
import { openJournal } from './journal.ts';
import { openLeveldb, STORE } from './leveldb-store.ts';
import { LOCK_FILE, lockJournal } from './lock.ts';
import type { OrderedStore, Witness } from './ordered-store.ts';
import { GENESIS_FILE, readGenesis, wasUsed } from './parts.ts';
import { openingRefusalOf } from './refusal.ts';
import { dropUnnamed, keepEvidence, RESCUE, settleEvidence } from './rescue.ts';
import { lastStop, markRunning, markStopped } from './running.ts';
import { makeRoom, NO_FLOOR, type Room, requireRoom, writeBallast } from './space.ts';
import { judgeStore } from './store-scan.ts';
import { createWitness, openWitness } from './witness.ts';

const sha256: Sha256 = (data) => createHash('sha256').update(data).digest();

/** The store until it is complete. */
const UNFINISHED = 'store.new';

/**
 * Makes an empty journal in `directory`, which may exist but hold none. The store appears last and by a rename:
 * what was interrupted can be begun again.
 * @param room `ballastBytes` is held in reserve from the beginning
 * @throws Fault CONFIG_INVALID when there is a journal already; JOURNAL_DAMAGED when there was one; JOURNAL_LOCKED;
 * JOURNAL_SPACE_LOW; JOURNAL_POISONED, FILE_UNREADABLE when the system refuses
 */
export async function provisionJournal(
  directory: string,
  genesis: Genesis,
  room: Pick<Room, 'ballastBytes'> = NO_FLOOR,
): Promise<void> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    if (!existsSync(join(directory, LOCK_FILE))) writeSynced(join(directory, LOCK_FILE), '');
    const release = lockJournal(directory);
    try {
      await provision(directory, genesis, room.ballastBytes);
    } finally {
      release();
    }
  } catch (error) {
    throw openingRefusalOf(error, directory) ?? error;
  }
}

async function provision(directory: string, genesis: Genesis, ballastBytes: number): Promise<void> {
  if (existsSync(join(directory, STORE)))
    throw new Fault('CONFIG_INVALID', { directory, reason: 'there is a journal already' });
  if (wasUsed(directory)) throw new Fault('JOURNAL_DAMAGED', { directory, missing: STORE });
  const unfinished = join(directory, UNFINISHED);
  rmSync(unfinished, { recursive: true, force: true });
  writeBallast(directory, ballastBytes);
  writeSynced(join(directory, GENESIS_FILE), `${canonicalJson({ ...genesis })}\n`);
  createWitness(directory, { sequence: -1, hash: genesisHash(genesis, sha256) });
  const store = await openLeveldb(unfinished, { createIfMissing: true, errorIfExists: true });
  await store.close();
  syncFiles(unfinished);
  await rename(unfinished, join(directory, STORE));
  syncDirectory(directory);
  syncDirectory(dirname(directory));
}

export interface LeveldbJournalOptions {
  readonly directory: string;
  readonly sha256: Sha256;
  /** Accepts a file system that may forget, and says so at every open. Never in production. */
  readonly laboratoryFileSystem: boolean;
  /** Absent: no floor, and nothing in reserve. */
  readonly room?: Room;
  readonly onWarning: (warning: string) => void;
  /** Told each entry as the opening verifies it: who folds them there reads the journal once. */
  readonly onEntry?: (entry: JournalEntry) => void;
}

/**
 * The only order: lock, file system, parts, files of the store, evidence, marker, LevelDB, directory, chain, witness.
 * @throws Fault JOURNAL_MISSING, JOURNAL_LOCKED, JOURNAL_FILESYSTEM, JOURNAL_DAMAGED; JOURNAL_POISONED where the disk is
 * full, failing or read-only; FILE_UNREADABLE where this account may not
 */
export async function openLeveldbJournal(options: LeveldbJournalOptions): Promise<Journal & AsyncDisposable> {
  const { directory, onWarning, room = NO_FLOOR } = options;
  const genesis = readGenesis(directory);
  const release = lockJournal(directory);
  let store: OrderedStore | null = null;
  let witness: Witness | null = null;
  try {
    judgeFileSystem(options);
    witness = openWitness(directory);
    const needless = prepareStore(directory, room, onWarning);
    store = await openLeveldb(join(directory, STORE), { createIfMissing: false, errorIfExists: false });
    // LevelDB has begun a new log file and renamed CURRENT without syncing the directory.
    syncDirectory(join(directory, STORE));
    const journal = await openJournal({
      genesis,
      store,
      sha256: options.sha256,
      witness,
      onWarning,
      onEntry: options.onEntry,
      requireRoom: () => requireRoom(directory, room),
      release: (clean) => {
        if (clean) noteStop(directory, onWarning);
        release();
      },
    });
    markRunning(directory, 'open');
    settleEvidence(directory, needless);
    return journal;
  } catch (error) {
    await store?.close();
    witness?.close();
    release();
    throw openingRefusalOf(error, directory) ?? asFault(error, 'JOURNAL_DAMAGED', { directory });
  }
}

/**
 * All that must be true, and on the disk, before LevelDB touches its store. As long as no opening succeeds, the copy
 * of the first try stays the only one: it shows the most.
 * @returns number of a copy that is needed only if the opening fails
 * @throws Fault JOURNAL_DAMAGED
 */
function prepareStore(directory: string, room: Room, onWarning: (warning: string) => void): number | null {
  const stop = lastStop(directory);
  const { torn, unnamed } = judgeStore(join(directory, STORE), stop === 'clean' ? 'clean' : 'unclean');
  if (makeRoom(directory, room)) onWarning('the disk is full: the reserve is given up to open the journal');
  if (stop === 'copied') {
    dropUnnamed(directory, unnamed);
    return null;
  }
  const copy = keepEvidence(directory, unnamed);
  markRunning(directory, 'copied');
  if (stop === 'clean' && torn.length === 0) return copy;
  onWarning(`${reasonOf(torn)}; the store as it was is kept as ${RESCUE}/${copy}`);
  return null;
}

/** A stop that could not be noted is taken for none at the next start: it costs a copy. */
function noteStop(directory: string, onWarning: (warning: string) => void): void {
  try {
    markStopped(directory);
  } catch (error) {
    onWarning(`the stop could not be noted: ${error}`);
  }
}

function reasonOf(torn: readonly string[]): string {
  return torn.length > 0
    ? `the journal’s last write was cut off (${torn.join(', ')})`
    : 'the last process that had the journal open was not stopped but ended';
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
