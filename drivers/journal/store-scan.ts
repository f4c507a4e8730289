/** Judges the files of a LevelDB store before LevelDB opens it: opening is destructive, and hides what is lost. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import { judgeLog } from './log-scan.ts';
import { readManifest } from './manifest.ts';

export interface StoreScan {
  /** Logs that end in the middle of a write, or have lost their end. */
  readonly torn: readonly string[];
  /** Tables and lists that the list in use does not name. LevelDB deletes them, or writes over them in place. */
  readonly unnamed: readonly string[];
}

const TABLE_OR_LIST = /^(?:\d+\.(?:ldb|sst|dbtmp)|MANIFEST-\d+)$/;

/**
 * @param stop how the last process ended: after a clean stop nothing was being written, so nothing is torn
 * @throws Fault JOURNAL_DAMAGED, with nothing touched, when a file is missing, shortened or broken in its middle
 */
export function judgeStore(store: string, stop: 'clean' | 'unclean'): StoreScan {
  const names = readdirSync(store);
  if (!names.includes('CURRENT')) throw damage('CURRENT', 'the file is missing');
  const manifest = readManifest(store);
  if (manifest.state === 'damaged' || (manifest.state === 'torn' && stop === 'clean'))
    throw damage(manifest.name, 'broken in its middle, or its end is lost');
  const tables = [...manifest.tables].map(([number, sizeBytes]) => tableOf(store, names, number, sizeBytes));
  const logs = names.filter((name) => name.endsWith('.log'));
  // A list of files that has lost its end names a log that was deleted long ago.
  if (manifest.logNumber > 0 && !logs.some((name) => Number.parseInt(name, 10) === manifest.logNumber))
    throw damage(`${String(manifest.logNumber).padStart(6, '0')}.log`, 'the file is missing');
  const judged = logs.map((name) => ({ name, state: judgeLog(readFileSync(join(store, name))) }));
  const broken = judged.find(({ state }) => state === 'damaged');
  if (broken !== undefined) throw damage(broken.name, 'broken in its middle');
  return {
    torn: judged.filter(({ state }) => state === 'torn').map(({ name }) => name),
    unnamed: names.filter(
      (name) => TABLE_OR_LIST.test(name) && name !== manifest.name && !tables.includes(name),
    ),
  };
}

/** LevelDB has had two endings for its tables. */
function tableOf(store: string, names: readonly string[], number: number, sizeBytes: number): string {
  const digits = String(number).padStart(6, '0');
  const name = [`${digits}.ldb`, `${digits}.sst`].find((candidate) => names.includes(candidate));
  if (name === undefined) throw damage(`${digits}.ldb`, 'the file is missing');
  if (statSync(join(store, name)).size !== sizeBytes) throw damage(name, 'the file has another length');
  return name;
}

function damage(file: string, reason: string): Fault {
  return new Fault('JOURNAL_DAMAGED', { file, reason });
}
