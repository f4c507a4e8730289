/**
 * A disk that fails at the k-th call: one life of a process with a journal, under strace(1), which answers that call with an
 * error or ends the process there. Afterwards the journal is opened on a disk that works.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { missingIn } from '../crash-images/judge.ts';

const RUN = fileURLToPath(new URL('../crash-images/recorded-run.js', import.meta.url));
const ENTRIES = 5;
const DEADLINE_MS = 60_000;

export const failingCalls = [
  'openat',
  'write',
  'pwrite64',
  'fsync',
  'fdatasync',
  'rename',
  'link',
  'unlink',
] as const;
export const failures = ['error=EIO', 'error=ENOSPC', 'error=EROFS', 'signal=KILL'] as const;
export type FailingCall = (typeof failingCalls)[number];
export type Failure = (typeof failures)[number];

export interface Place {
  readonly call: FailingCall;
  readonly failure: Failure;
  /** Which call of a thread, from 1. */
  readonly nth: number;
}

export interface Outcome {
  /** Whether the call was reached at all. */
  readonly reached: boolean;
  /** Code of the fault with which the process ended, null when it went on. */
  readonly fault: string | null;
  /** In sentences; empty when nothing is wrong. */
  readonly problems: readonly string[];
}

/** What a process may say when its disk fails. */
const RIGHT_FAULTS = ['JOURNAL_POISONED', 'JOURNAL_SPACE_LOW', 'FILE_UNREADABLE'];

/** Makes a journal that was killed: its next opening copies, and writes tables. */
export async function prepareMaster(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const journal = join(directory, 'journal');
  const genesis = { journal: 'swept', station: 'station-1', created: '2026-11-02T08:00:00Z' };
  await provisionJournal(journal, genesis);
  spawnSync(process.execPath, [RUN, journal, 'killed', String(ENTRIES), '100'], { timeout: DEADLINE_MS });
}

/** @param master as `prepareMaster` made it. @param directory nothing is left of it */
export async function failAt(place: Place, master: string, directory: string): Promise<Outcome> {
  cpSync(master, directory, { recursive: true });
  try {
    const journal = join(directory, 'journal');
    const calls = place.call === 'rename' ? 'rename,renameat,renameat2' : place.call;
    const inject = `inject=${calls}:${place.failure}:when=${place.nth}`;
    const paths = pathsOf(journal).flatMap((path) => ['-P', path]);
    const run = spawnSync(
      'strace',
      ['-f', '-qq', '-o', '/dev/null', ...paths, '-e', `trace=${calls}`, '-e', inject].concat([
        process.execPath,
        RUN,
        journal,
        'last',
        String(ENTRIES),
        '100',
      ]),
      {
        env: { ...process.env, UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' },
        encoding: 'utf8',
        timeout: DEADLINE_MS,
      },
    );
    const said = run.stdout.trimEnd().split('\n');
    const fault = said.find((line) => line.startsWith('fault '))?.split(' ')[1] ?? null;
    const problems: string[] = [];
    if (fault !== null && !RIGHT_FAULTS.includes(fault)) problems.push(`it ended with ${fault}`);
    if (run.stderr.includes('Error')) problems.push(`no fault but: ${run.stderr.slice(0, 300)}`);
    problems.push(...(await missing(said, journal)));
    return { reached: fault !== null || !said.at(-1)?.startsWith('given up'), fault, problems };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a disk that works again does not give back. */
async function missing(said: readonly string[], directory: string): Promise<readonly string[]> {
  try {
    await using journal = await openLeveldbJournal({
      directory,
      sha256: nodeCrypto.sha256,
      laboratoryFileSystem: true,
      onWarning: () => undefined,
    });
    const why = await missingIn(journal, said);
    return why === null ? [] : [`lost: ${why}`];
  } catch (error) {
    return [
      `it does not open afterwards: ${isFault(error) ? `${error.code} ${JSON.stringify(error.context)}` : error}`,
    ];
  }
}

/** strace matches whole paths: every name that LevelDB and we may use in so short a life. */
function pathsOf(journal: string): readonly string[] {
  const numbers = Array.from({ length: 16 }, (_, i) => String(i + 1).padStart(6, '0'));
  const files = numbers.flatMap((n) => [`${n}.log`, `${n}.ldb`, `${n}.dbtmp`, `MANIFEST-${n}`]);
  const names = ['CURRENT', ...files];
  return [
    ...['', 'running', 'witness', 'genesis', 'lock', 'ballast', 'store', 'rescue'].map((name) =>
      join(journal, name),
    ),
    ...names.map((name) => join(journal, 'store', name)),
    ...['unfinished', '1', '2', '3'].map((name) => join(journal, 'rescue', name)),
    ...names.map((name) => join(journal, 'rescue', 'unfinished', name)),
  ].map((path) => path.replace(/\/$/, ''));
}
