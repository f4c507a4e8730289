/**
 * LevelDB as the journal's store, through classic-level. Never made by opening, never mended: LevelDB's own
 * recovery hides losses. No snapshot or read-only mode: a tool reads a copy.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import type { Genesis } from '../../runtime/core/journal/entry.ts';
import { LOCK_FILE } from './lock.ts';
import type { OrderedStore } from './ordered-store.ts';
import { refusalOf } from './refusal.ts';
import { decodeGenesis } from './stored.ts';

/** LevelDB's directory inside the journal's; nothing of ours lies in it. */
export const STORE = 'store';
export const GENESIS_FILE = 'genesis';
/** LevelDB's default, which measured best: larger buffers stall longer. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;

/** @throws Fault JOURNAL_DAMAGED when it does not open; JOURNAL_POISONED when the disk has no room for that. */
export async function openLeveldb(
  directory: string,
  options: { readonly createIfMissing: boolean; readonly errorIfExists: boolean },
): Promise<OrderedStore> {
  const { Level } = await import('level');
  const level = new Level<string, Uint8Array>(directory, {
    ...options,
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    writeBufferSize: WRITE_BUFFER_BYTES,
  });
  try {
    await level.open();
  } catch (error) {
    const cause = (error as Error).cause as (Error & { readonly code?: string }) | undefined;
    const disk = /No space left|Read-only file system|Input\/output error/.test(cause?.message ?? '');
    throw new Fault(
      disk ? 'JOURNAL_POISONED' : 'JOURNAL_DAMAGED',
      { store: cause?.code ?? null },
      { cause: error },
    );
  }
  return {
    write: (changes) => level.batch([...changes], { sync: true }),
    get: (key) => level.get(key),
    range: (range) => level.iterator(range),
    close: () => level.close(),
  };
}

/** @throws Fault JOURNAL_MISSING where provisioning has not ended, JOURNAL_DAMAGED, FILE_UNREADABLE */
export function readGenesis(directory: string): Genesis {
  for (const part of [GENESIS_FILE, LOCK_FILE, join(STORE, 'CURRENT')])
    if (!existsSync(join(directory, part))) throw new Fault('JOURNAL_MISSING', { directory, file: part });
  return decodeGenesis(genesisText(directory));
}

function genesisText(directory: string): string {
  try {
    return readFileSync(join(directory, GENESIS_FILE), 'utf8');
  } catch (error) {
    throw refusalOf(error, directory) ?? error;
  }
}
