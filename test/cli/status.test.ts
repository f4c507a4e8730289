import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { serveJournal } from '../../drivers/journal/socket.ts';
import { faults } from '../../runtime/core/faults.ts';
import type { NewEntry } from '../../runtime/core/journal/entry.ts';
import { flip, logOf } from '../journal/samples.ts';
import {
  fingerprint,
  HELD_EID,
  heldVisit,
  holdfast,
  type Lived,
  makeStation,
  openStation,
  simulatedLine,
} from './support.ts';

const UNITS = 2;
const HOUR_MS = 3_600_000;
const top = mkdtempSync(join(tmpdir(), 'cli-status-'));
let lived: Lived;

before(async () => {
  lived = await simulatedLine(UNITS);
});
after(() => rmSync(top, { recursive: true }));

async function lineOf(name: string, ...stations: readonly (readonly NewEntry[])[]) {
  const line = join(top, name);
  const made = [];
  for (const [i, entries] of stations.entries())
    made.push(
      await makeStation(
        join(line, `station-${i + 1}`),
        { ...lived.genesis, station: `station-${i + 1}` },
        entries,
      ),
    );
  return { line, stations: made };
}

describe('holdfast status', () => {
  it('exits 0 for a line that has done its work, and changes nothing', async () => {
    const { line } = await lineOf('done', lived.entries, lived.entries);
    const untouched = fingerprint(line);
    const { code, out, err } = await holdfast(['status', '--dir', line]);
    assert.equal(code, 0, err);
    assert.match(out, /^station-1 {2}not running; last started 2026-01-01 00:00:00 .*holdfast 0\.1\.0/m);
    assert.match(out, /^station-2 {2}not running/m);
    assert.match(out, /^ {2}nest a: empty, waiting for a unit/m);
    assert.match(out, /counters {2}2 came: 2 released, 0 rejected, 0 interrupted, 0 in the nest/);
    assert.match(out, /released +…\d{4} {2}left by the good lane/);
    assert.equal(fingerprint(line), untouched);
  });

  it('names a gate that is plain Firmata, as text and as JSON', async () => {
    const entries = lived.entries.map(
      (entry): NewEntry =>
        entry.fact.name === 'started' ? { ...entry, fact: { ...entry.fact, gate: 'plain-firmata' } } : entry,
    );
    const { line } = await lineOf('plain', lived.entries, entries);
    const { out } = await holdfast(['status', '--dir', line]);
    assert.doesNotMatch(out, /^station-1 .*gate:/m);
    assert.match(out, /^station-2 .*, gate: plain-firmata \(bench only\)$/m);
    const { stations } = JSON.parse((await holdfast(['status', '--dir', line, '--json'])).out);
    assert.deepEqual(
      stations.map(({ started }: { started: { gate: string } }) => started.gate),
      ['controller', 'plain-firmata'],
    );
  });

  it('exits 3 for a held unit, with reason, remedy, since when and how often', async () => {
    const { line } = await lineOf('held', [...lived.entries, ...heldVisit(Date.now() - HOUR_MS)]);
    const { code, out } = await holdfast(['status', '--dir', line]);
    assert.equal(code, 3);
    assert.match(out, /^ {2}nest a: HELD, since .* ago\)$/m);
    assert.match(out, /unit +…9960, came .*\(1 h ago\)/);
    assert.match(out, /reason +No secure element in the reader \(CARD_ABSENT\) reader: left/);
    assert.ok(out.includes(faults.CARD_ABSENT.remedy));
    assert.match(out, /held +since .* 2 times; tried again by itself/);
    assert.match(out, /it does not run: leave the unit in the fixture and start it/);
    assert.ok(!out.includes(HELD_EID));
    const { code: again, out: json } = await holdfast(['status', '--dir', join(line, 'station-1'), '--json']);
    assert.equal(again, 3);
    const [station] = JSON.parse(json).stations;
    assert.equal(station.running, false);
    assert.equal(station.nests[0].state, 'held');
    assert.equal(station.nests[0].held.fault.code, 'CARD_ABSENT');
    assert.deepEqual(station.nests[0].counters, {
      consumed: UNITS + 1,
      processed: UNITS,
      defective: 0,
      interrupted: 0,
      holds: 2,
      resumed: 1,
    });
  });

  it('tells a running station, and a unit in work, from one that waits for its station', async () => {
    const working = heldVisit(Date.now()).slice(0, 3);
    const { line, stations } = await lineOf('working', [...lived.entries, ...working]);
    const [own] = stations;
    assert.ok(own !== undefined);
    const dead = await holdfast(['status', '--dir', line]);
    assert.equal(dead.code, 3);
    await using journal = await openStation(own.journal);
    const server = await serveJournal({ path: own.socket, journal, genesis: lived.genesis });
    const live = await holdfast(['status', '--dir', line]);
    await server.close();
    assert.equal(live.code, 0, live.err);
    assert.match(live.out, /^station-1 {2}running;/m);
    assert.match(live.out, /^ {2}nest a: asking the backend for a reservation, since/m);
  });

  it('shows the other stations too when the journal of one is damaged, and exits 1', async () => {
    const { line, stations } = await lineOf('damaged', lived.entries, lived.entries);
    flip(logOf(stations[0]?.journal ?? ''), 'started');
    const { code, out } = await holdfast(['status', '--dir', line]);
    assert.equal(code, 1);
    assert.match(out, /^ {2}The journal is damaged \(JOURNAL_DAMAGED\)$/m);
    assert.match(out, /^station-2 {2}not running; last started/m);
  });

  it('knows a nest that has not had a unit yet', async () => {
    const { line } = await lineOf('fresh', []);
    const { code, out } = await holdfast(['status', '--dir', line]);
    assert.equal(code, 0);
    assert.match(out, /nest a: empty, waiting for a unit$/m);
    assert.match(out, /nothing in the journal yet/);
    const copied = join(top, 'copied');
    cpSync(join(line, 'station-1', 'journal'), copied, { recursive: true });
    assert.equal((await holdfast(['status', '--dir', copied])).code, 0);
  });
});
