/** Disks that are full, that refuse to sync, and that turn read-only. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { last, type Nemesis, NotStruck } from '../nemesis.ts';
import { ended, signal, until } from '../processes.ts';

/** By then the station has appended something, and met the fault. */
const MET_MS = 6_000;

const ENDS = 'the station ends before anything irreversible, and resumes from what was durable';

const journalFull: Nemesis = {
  kind: 'journal-full',
  on: ['station'],
  mayEnd: ['station'],
  expects: `${ENDS}, once there is room`,
  strike: async ({ journalDisk, parts }, draw) => {
    const before = parts.station.ends();
    if (journalDisk.fill() === 0) throw new NotStruck('the disk of the journal was full already');
    await until(() => parts.station.ends() > before, MET_MS);
    await last(draw);
    journalDisk.empty();
  },
};

const databaseFull: Nemesis = {
  kind: 'database-full',
  on: ['postgres'],
  mayEnd: ['postgres'],
  expects: 'held; nothing is acknowledged that is not committed; released once there is room',
  strike: async ({ databaseDisk }, draw) => {
    if (databaseDisk.fill() === 0) throw new NotStruck('the disk of the database was full already');
    await last(draw);
    databaseDisk.empty();
  },
};

const readOnly: Nemesis = {
  kind: 'journal-read-only',
  on: ['station'],
  mayEnd: ['station'],
  expects: `${ENDS}, once the disk is repaired`,
  strike: async ({ journalDisk, parts }, draw) => {
    const before = parts.station.ends();
    journalDisk.turnReadOnly();
    const met = await until(() => parts.station.ends() > before, MET_MS);
    await last(draw);
    await parts.station.whileDown(async () => journalDisk.mend());
    if (!met) throw new NotStruck('the station never wrote to the disk that turned read-only');
  },
};

const eio = injected('journal-eio', 'EIO');
const enospc = injected('journal-enospc', 'ENOSPC');

/** A sync of the running station fails once in each of its threads; only the journal syncs. */
function injected(kind: string, error: string): Nemesis {
  return {
    kind,
    on: ['station'],
    mayEnd: ['station'],
    expects: ENDS,
    strike: async ({ places, parts }) => {
      const before = parts.station.ends();
      const report = join(places.root, 'strace');
      rmSync(report, { force: true });
      const tracer = spawn(
        'strace',
        [
          ...['-f', '-p', String(parts.station.pid()), '-o', report, '-e', 'trace=fdatasync'],
          ...['-e', `inject=fdatasync:error=${error}:when=1`],
        ],
        { stdio: 'ignore' },
      );
      const pid = tracer.pid ?? 0;
      const met = await until(
        () => existsSync(report) && readFileSync(report, 'utf8').includes('(INJECTED)'),
        MET_MS,
      );
      signal(pid, 'SIGINT');
      if (!(await ended([pid], MET_MS))) signal(pid, 'SIGKILL');
      if (!met) throw new NotStruck('the station never synced its journal');
      if (!(await until(() => parts.station.ends() > before, MET_MS)))
        throw new Error('the station went on with a journal that had failed');
    },
  };
}

export const diskNemeses: readonly Nemesis[] = [journalFull, databaseFull, readOnly, eio, enospc];
