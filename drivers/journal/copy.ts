/**
 * A dead station's journal for the technician: a copy is opened, never the original, since opening a LevelDB store
 * changes it. While the station lives, it is asked instead.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asFault, Fault, isFault } from '../../runtime/core/faults.ts';
import {
  type EntryMark,
  type Genesis,
  genesisHash,
  type JournalEntry,
  type Sha256,
} from '../../runtime/core/journal/entry.ts';
import { LEVELDB_LOCK, openLeveldb, STORE } from './leveldb-store.ts';
import { lockJournal } from './lock.ts';
import type { OrderedStore } from './ordered-store.ts';
import { readGenesis } from './parts.ts';
import { refusalOf } from './refusal.ts';
import { lastStop } from './running.ts';
import { judgeStore } from './store-scan.ts';
import { CUT_KEY, decodeCut, ENTRIES, type Tail, verified } from './stored.ts';
import { startOf, verifyAll } from './verify.ts';
import { readWitness } from './witness.ts';

export interface JournalCopy extends AsyncDisposable {
  readonly genesis: Genesis;
  /** Null when the chain is whole; else JOURNAL_DAMAGED naming the first bad sequence, or the log that is broken. */
  readonly damage: Fault | null;
  /** What was given up; null while the first entry is still there. */
  readonly cut: EntryMark | null;
  /** From the first that is here on, each verified; ends with `damage` thrown where the chain breaks. */
  readonly entries: AsyncIterable<JournalEntry>;
}

/** @throws Fault JOURNAL_MISSING; JOURNAL_LOCKED while the station lives; JOURNAL_DAMAGED when nothing opens;
 * FILE_UNREADABLE when the system refuses to read the journal or to write the copy */
export async function openJournalCopy(
  directory: string,
  options: { readonly sha256: Sha256 },
): Promise<JournalCopy> {
  try {
    return await openCopy(directory, options);
  } catch (error) {
    throw refusalOf(error, directory) ?? asFault(error, 'JOURNAL_DAMAGED', { directory });
  }
}

async function openCopy(directory: string, options: { readonly sha256: Sha256 }): Promise<JournalCopy> {
  const genesis = readGenesis(directory);
  const mark = readWitness(directory);
  const stop = lastStop(directory) === 'clean' ? 'clean' : 'unclean';
  const copy = mkdtempSync(join(tmpdir(), 'holdfast-journal-'));
  const remove = (): void => rmSync(copy, { recursive: true, force: true });
  try {
    copyStore(directory, join(copy, STORE));
    const broken = await damageOf(async () => judgeStore(join(copy, STORE), stop));
    const store = await openCopied(join(copy, STORE));
    const start = { next: 0, hash: genesisHash(genesis, options.sha256) };
    const cut = decodeCut(await store.get(CUT_KEY));
    const damage =
      (await damageOf(() => verifyAll(store, { start, sha256: options.sha256, mark }))) ?? broken;
    return {
      genesis,
      damage,
      cut,
      entries: entriesOf(store, startOf(cut, start), options.sha256, damage),
      [Symbol.asyncDispose]: async () => {
        await store.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A disk without room for the copy says nothing about the journal. */
async function openCopied(store: string): Promise<OrderedStore> {
  try {
    return await openLeveldb(store, { createIfMissing: false, errorIfExists: false });
  } catch (error) {
    if (!isFault(error) || error.code !== 'JOURNAL_POISONED') throw error;
    throw new Fault('FILE_UNREADABLE', { file: store, why: 'no room for the copy' }, { cause: error });
  }
}

function copyStore(directory: string, target: string): void {
  const release = lockJournal(directory);
  try {
    const source = join(directory, STORE);
    mkdirSync(target);
    for (const name of readdirSync(source))
      if (name !== LEVELDB_LOCK) copyFileSync(join(source, name), join(target, name));
  } finally {
    release();
  }
}

async function damageOf(verify: () => Promise<unknown>): Promise<Fault | null> {
  try {
    await verify();
    return null;
  } catch (error) {
    if (isFault(error) && error.code === 'JOURNAL_DAMAGED') return error;
    throw error;
  }
}

async function* entriesOf(
  store: OrderedStore,
  start: Tail,
  sha256: Sha256,
  damage: Fault | null,
): AsyncGenerator<JournalEntry> {
  yield* verified(store.range(ENTRIES), { tail: start, sha256 });
  if (damage !== null) throw damage;
}
