import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serveJournal } from '../../drivers/journal/socket.ts';
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { shortEid } from '../../runtime/core/eid.ts';
import type { NewEntry } from '../../runtime/core/journal/entry.ts';
import { flip, logOf, samples } from '../journal/samples.ts';
import {
  fingerprint,
  HELD_EID,
  heldVisit,
  holdfast,
  type Lived,
  linesOf,
  makeStation,
  openStation,
  type StationDirectory,
  simulatedLine,
} from './support.ts';

const run = promisify(execFile);
const UNITS = 3;
const HOUR_MS = 3_600_000;

const top = mkdtempSync(join(tmpdir(), 'cli-journal-'));
let lived: Lived;
let entries: readonly NewEntry[];
let station: StationDirectory;

before(async () => {
  lived = await simulatedLine(UNITS);
  entries = [...lived.entries, ...heldVisit(Date.now() - HOUR_MS)];
  station = await makeStation(join(top, 'station-1'), lived.genesis, entries);
});
after(() => rmSync(top, { recursive: true }));

/** EIDs in the order in which they were identified. */
function eids(): readonly string[] {
  return entries.flatMap(({ fact }) => (fact.name === 'identified' ? [fact.identity.eid] : []));
}

describe('holdfast journal of a station that does not run', () => {
  it('shows every entry on a line of its own, and leaves the directory as it was', async () => {
    const untouched = fingerprint(station.directory);
    const { code, out, err } = await holdfast(['journal', '--dir', station.journal]);
    assert.equal(code, 0, err);
    assert.equal(linesOf(out).length, entries.length);
    assert.match(err, /^station-1: not running, read from a copy; times are GMT/);
    assert.equal(fingerprint(station.directory), untouched);
  });

  it('names the unit by its last four digits alone, from its identification to its end', async () => {
    const { out } = await holdfast(['journal', '--dir', station.directory]);
    const [first = ''] = eids();
    const about = linesOf(out).filter((line) => line.includes(shortEid(first)));
    assert.match(about[0] ?? '', /identified .* chip holds key set [0-9a-f]{2}$/);
    assert.match(about.at(-1) ?? '', /released .* left by the good lane, release 1$/);
    assert.ok(eids().every((eid) => !out.includes(eid)));
  });

  it('shows title and code of a hold, and no colour', async () => {
    const { out } = await holdfast(['journal', '--dir', station.directory, '-n', '1']);
    assert.match(out, /held +…9960 {2}No secure element in the reader \(CARD_ABSENT\) reader: left\n$/);
    assert.ok(!out.includes('\u001b'));
  });

  it('gives every line to a reader who takes his time', async () => {
    const long = Array.from({ length: 8 }, () => entries).flat();
    const { journal } = await makeStation(join(top, 'long'), lived.genesis, long);
    const command = `"$0" "$1" journal --dir "$2" -o json | (sleep 1; wc -l)`;
    const program = fileURLToPath(new URL('../../runtime/cli/main.js', import.meta.url));
    const { stdout } = await run('sh', ['-c', command, process.execPath, program, journal]);
    assert.equal(Number(stdout), long.length);
  });

  it('gives JSON, one entry a line, with sequence, time, hash and fact', async () => {
    for (const json of [['-o', 'json'], ['--json']]) {
      const { out } = await holdfast(['journal', '--dir', station.directory, ...json]);
      const shown = linesOf(out).map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.deepEqual(
        shown.map(({ at, fact }) => ({ at, fact })),
        entries.map(({ at, fact }) => ({ at, fact })),
      );
      assert.deepEqual(
        shown.map(({ sequence }) => sequence),
        entries.map((_, i) => i),
      );
      assert.ok(shown.every(({ hash }) => /^[0-9a-f]{64}$/.test(String(hash))));
    }
  });

  it('shows the last ones, those since a time, and those of one unit', async () => {
    const sequences = async (...args: string[]): Promise<number[]> => {
      const { out, err } = await holdfast(['journal', '--dir', station.directory, '-o', 'json', ...args]);
      assert.equal(err, '');
      return linesOf(out).map((line) => (JSON.parse(line) as { sequence: number }).sequence);
    };
    const all = entries.map((_, i) => i);
    assert.deepEqual(await sequences('-n', '4'), all.slice(-4));
    assert.deepEqual(await sequences('-n', '0'), []);
    assert.deepEqual(await sequences('--since', '2 h ago'), all.slice(-7));
    assert.deepEqual(await sequences('--since', '10 min ago'), []);
    assert.deepEqual(await sequences('--since', '2026-01-01T00:00:00Z'), all);
    const second = eids()[1] ?? '';
    const visits = new Set(
      entries.flatMap(({ fact }) =>
        fact.name === 'identified' && fact.identity.eid === second ? [fact.visit] : [],
      ),
    );
    const own = all.filter((i) => {
      const fact = entries[i]?.fact;
      return fact !== undefined && fact.nest !== null && visits.has(fact.visit);
    });
    assert.deepEqual(await sequences('--eid', second), own);
    assert.equal(entries[own[0] ?? 0]?.fact.name, 'arrived');
    assert.deepEqual(await sequences('--eid', HELD_EID.slice(-4), '-n', '2'), all.slice(-2));
  });

  it('verifies the chain, and names the first bad sequence of a damaged one', async () => {
    const good = await holdfast(['journal', '--dir', station.directory, '--verify']);
    assert.equal(good.code, 0);
    assert.match(good.out, new RegExp(`^station-1: ${entries.length} entries verified`));

    const bad = join(top, 'damaged');
    cpSync(station.directory, bad, { recursive: true });
    rmSync(join(bad, 'station.json'));
    const sequence = entries.findIndex(({ fact }) => fact.name === 'held');
    flip(logOf(join(bad, 'journal')), 'BACKEND_SILENT');
    const untouched = fingerprint(bad);
    const { code, out, err } = await holdfast(['journal', '--dir', bad, '--verify']);
    assert.equal(code, 1);
    assert.equal(out, `NOT VERIFIED: the first bad sequence is ${sequence}\n`);
    assert.match(err, /^The journal is damaged \(JOURNAL_DAMAGED\)\n {2}Cause: /);
    const { out: json } = await holdfast(['journal', '--dir', bad, '--verify', '--json']);
    assert.deepEqual(JSON.parse(json), { verified: false, entries: sequence, firstBad: sequence });
    const shown = await holdfast(['journal', '--dir', bad, '-n', '2', '-o', 'json']);
    assert.equal(shown.code, 1);
    assert.match(shown.err, /JOURNAL_DAMAGED/);
    assert.deepEqual(
      linesOf(shown.out).map((line) => JSON.parse(line).sequence),
      [sequence - 2, sequence - 1],
    );
    assert.equal(fingerprint(bad), untouched);
  });

  it('ends quietly when its reader has enough', async () => {
    const program = new URL('../../runtime/cli/main.js', import.meta.url).pathname;
    const line = `"${process.execPath}" "${program}" journal --dir "${station.directory}" | head -n 1`;
    const child = spawn('bash', ['-c', `set -o pipefail; ${line}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    child.stderr.on('data', (text: Buffer) => {
      err += text.toString();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 0, err);
    assert.ok(!err.includes('EPIPE'));
  });
});

describe('an interrupted holdfast journal', () => {
  it('leaves no copy behind and speaks of no damage', async () => {
    const many = await makeStation(join(top, 'many'), lived.genesis, []);
    {
      await using journal = await openStation(many.journal);
      for (let i = 0; i < 60; i++) await journal.append(samples(100, 100 * i));
    }
    const own = join(top, 'temporary');
    mkdirSync(own);
    const program = new URL('../../runtime/cli/main.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, 'journal', '--dir', many.journal, '--verify'], {
      env: { ...process.env, TMPDIR: own },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (text: Buffer) => {
      err += text.toString();
    });
    const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)));
    while (readdirSync(own).length === 0 && child.exitCode === null) await pause(5);
    child.kill('SIGINT');
    assert.equal(await ended, 'SIGINT');
    assert.equal(err, '');
    assert.deepEqual(readdirSync(own), []);
  });
});

describe('holdfast journal of a running station', () => {
  it('reads through its socket, and finds that out by itself', async () => {
    const dead = await holdfast(['journal', '--dir', station.directory, '-o', 'json']);
    await using journal = await openStation(station.journal);
    const server = await serveJournal({ path: station.socket, journal, genesis: lived.genesis });
    try {
      for (const directory of [station.directory, station.journal]) {
        const live = await holdfast(['journal', '--dir', directory, '-o', 'json']);
        assert.deepEqual(live, dead);
      }
      const verified = await holdfast(['journal', '--dir', station.directory, '--verify']);
      assert.equal(verified.code, 0);
      const shown = await holdfast(['journal', '--dir', station.directory, '-n', '1']);
      assert.match(shown.err, /^station-1: running, read through its socket/);
    } finally {
      await server.close();
    }
  });

  it('says what is in the way when the station has the journal and does not answer', async () => {
    await using _journal = await openStation(station.journal);
    const bare = join(top, 'elsewhere');
    cpSync(station.directory, bare, { recursive: true });
    rmSync(join(bare, 'station.json'));
    await using _copied = await openStation(join(bare, 'journal'));
    const { code, err } = await holdfast(['journal', '--dir', bare]);
    assert.equal(code, 1);
    assert.match(err, /JOURNAL_LOCKED/);
    assert.match(err, /give the directory of the station/);
  });

  it('refuses what another station’s socket tells', async () => {
    const genesis = { ...lived.genesis, journal: '01890000-0000-4000-8000-00000000beef' };
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write(`${JSON.stringify({ genesis })}\n`);
    });
    await new Promise<void>((resolve) => server.listen(station.socket, resolve));
    const { code, out, err } = await holdfast(['journal', '--dir', station.directory]);
    server.close();
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(err, /CONFIG_INVALID/);
  });

  it('goes on with a copy where the station ends while it is read', async () => {
    const lines = linesOf((await holdfast(['journal', '--dir', station.directory, '-o', 'json'])).out);
    const [first] = lines.map((line) => JSON.parse(line) as { at: number; fact: object; hash: string });
    assert.ok(first !== undefined);
    const text = canonicalJson({ sequence: 0, at: first.at, fact: first.fact });
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write(`${JSON.stringify({ genesis: lived.genesis })}\n`);
      socket.end(`${JSON.stringify({ entry: { sequence: 0, text, hash: first.hash } })}\n`);
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(station.socket, resolve));
    const { code, out } = await holdfast(['journal', '--dir', station.directory, '-o', 'json']);
    assert.equal(code, 0);
    assert.deepEqual(linesOf(out), lines);
  });
});
