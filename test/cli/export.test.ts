import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromText, toHex } from '../../runtime/core/bytes.ts';
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { open } from '../../runtime/core/messages/envelope.ts';
import { manifestEntry, signManifestInstruction } from '../../runtime/core/messages/manifest.ts';
import { csvHeading, csvLine } from '../../runtime/core/record/manifest.ts';
import type { RecordRow } from '../../runtime/core/store/fleet.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { inProcess } from './support.ts';

const UNITS = 3;
const DAY_MS = 86_400_000;

let world: World;
let records: readonly RecordRow[];

before(async () => {
  world = await createWorld({ seed: 'export', stations: 1, units: UNITS });
  await world.run(DAY_MS);
  records = await world.fleet.connect().transaction((tx) => tx.recordsFrom(0, 9));
  assert.equal(records.length, UNITS);
});

/** The command on the simulated plant; `spoil` changes what its store answers. */
function exported(args: readonly string[], spoil = (row: RecordRow): RecordRow => row) {
  const store = world.fleet.connect();
  return inProcess(['fleet', 'export', '--database', 'postgresql://simulated', ...args], {
    now: () => world.clock.now(),
    openFleet: async () => ({
      read: (work) =>
        store.transaction((tx) =>
          work({ ...tx, recordsFrom: async (leaf, limit) => (await tx.recordsFrom(leaf, limit)).map(spoil) }),
        ),
      operation: (eid) => store.transaction((tx) => tx.operationByEid(eid)),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    instruct: (_socket, of, body) => world.instructions[of.to].instruct(of, body),
  });
}

const linesIn = (text: string): readonly string[] => text.trimEnd().split('\n');

describe('holdfast fleet export', () => {
  it('writes each record in the spelling that was hashed, oldest first', async () => {
    const { code, out, err } = await exported([]);
    assert.equal(code, 0, err);
    const units = linesIn(out).map((line) => JSON.parse(line));
    assert.deepEqual(
      units.map(({ leaf }) => leaf),
      records.map(({ leafIndex }) => leafIndex),
    );
    for (const { record, recordHash } of units)
      assert.equal(toHex(nodeCrypto.sha256(fromText(canonicalJson(record)))), recordHash);
  });

  it('writes a table with a heading, one unit a line', async () => {
    const [heading, ...lines] = linesIn((await exported(['--format', 'csv'])).out);
    assert.equal(heading, csvHeading);
    assert.deepEqual(
      lines.map((line) => line.split(',')[0]),
      records.map(({ eid }) => eid),
    );
    assert.ok(lines.every((line) => line.split(',').length === csvHeading.split(',').length));
  });

  it('keeps commas, quotes and formulas of a record inside their field', () => {
    const record = fromText(canonicalJson({ eid: '1', product: 'a "b", c', batch: '=1+1' }));
    const line = csvLine({ ...(records[0] ?? assert.fail()), record });
    assert.match(line, /^1,,,"a ""b"", c","'=1\+1",/);
  });

  it('has the backend sign each record, which its public key verifies', async () => {
    const { code, out, err } = await exported(['--format', 'jws', '--socket', 'backend']);
    assert.equal(code, 0, err);
    const entries = linesIn(out).map((jws) => open(manifestEntry, jws, world.parties.trusted, nodeCrypto));
    assert.deepEqual(
      entries.map(({ payload }) => payload.recordHash),
      records.map(({ recordHash }) => recordHash),
    );
    for (const { payload } of entries)
      assert.equal(toHex(nodeCrypto.sha256(fromText(canonicalJson(payload.record)))), payload.recordHash);
  });

  it('signs nothing that the backend does not hold', async () => {
    const operations = ['01a205a9-6ac8-7029-b849-6488e99d2d58'];
    await assert.rejects(world.instructions.backend.instruct(signManifestInstruction, { operations }), {
      code: 'INSTRUCTION_REFUSED',
    });
  });

  it('chooses by ticket, batch, station and time', async () => {
    const count = async (...args: string[]): Promise<number> =>
      (await exported(args)).out.split('\n').filter((line) => line !== '').length;
    assert.equal(await count('--ticket', 'SIM-1', '--station', 'station-1', '--batch', 'SIM-BATCH-1'), UNITS);
    assert.equal(await count('--ticket', 'SIM-2'), 0);
    assert.equal(await count('--since', '2025-12-31'), UNITS);
    assert.equal(await count('--until', '2025-12-31'), 0);
  });

  it('stops at a record that is not the one that was logged', async () => {
    const spoil = (row: RecordRow): RecordRow => ({ ...row, record: fromText('{}') });
    const { code, out, err } = await exported([], spoil);
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(err, /LOG_FORKED/);
  });

  it('takes no format that it does not know', async () => {
    assert.equal((await exported(['--format', 'xml'])).code, 2);
  });
});
