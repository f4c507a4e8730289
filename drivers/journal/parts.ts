/** The files of a journal beside its store, and what it means when one is not there. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import type { Genesis } from '../../runtime/core/journal/entry.ts';
import { STORE } from './leveldb-store.ts';
import { LOCK_FILE } from './lock.ts';
import { openingRefusalOf } from './refusal.ts';
import { RESCUE } from './rescue.ts';
import { RUNNING_FILE } from './running.ts';
import { decodeGenesis } from './stored.ts';
import { WITNESS_FILE } from './witness.ts';

export const GENESIS_FILE = 'genesis';

/**
 * @throws Fault JOURNAL_MISSING where there is none, or its set-up has not ended; JOURNAL_DAMAGED where one was and
 * a part of it is gone; FILE_UNREADABLE
 */
export function readGenesis(directory: string): Genesis {
  try {
    if (!exists(join(directory, STORE))) {
      if (wasUsed(directory)) throw new Fault('JOURNAL_DAMAGED', { directory, missing: STORE });
      throw new Fault('JOURNAL_MISSING', { directory, file: STORE });
    }
    for (const part of [GENESIS_FILE, LOCK_FILE, WITNESS_FILE, join(STORE, 'CURRENT')])
      if (!exists(join(directory, part))) throw new Fault('JOURNAL_DAMAGED', { directory, missing: part });
    return decodeGenesis(readFileSync(join(directory, GENESIS_FILE), 'utf8'));
  } catch (error) {
    throw openingRefusalOf(error, directory) ?? error;
  }
}

/** Whether a station has ever had this journal open: then there may be entries that somebody was told of. The first
 * opening of all leaves a copy of the store. */
export function wasUsed(directory: string): boolean {
  return [RUNNING_FILE, RESCUE].some((part) => exists(join(directory, part)));
}

/** Unlike existsSync: what may not be looked at is not taken for absent. */
function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
