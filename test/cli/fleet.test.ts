import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { fromText, toHex, toText } from '../../runtime/core/bytes.ts';
import { checkpointText } from '../../runtime/core/log/checkpoint.ts';
import { type NoteKey, signedNote } from '../../runtime/core/log/note.ts';
import type { HeadRow, RecordRow } from '../../runtime/core/store/fleet.ts';
import type { World } from '../../scripts/simulation/world.ts';
import { pass, stationOf } from '../simulation/by-hand.ts';
import { type PrivatePostgres, privatePostgres } from '../store/private-postgres.ts';
import { copyFleet, query } from './fleet-copy.ts';
import { holdfast, simulatedLine } from './support.ts';

const UNITS = 4;
const top = mkdtempSync(join(tmpdir(), 'cli-fleet-'));
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const key: NoteKey = {
  name: 'test.example/log',
  publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
};
const logKey = `${key.name}:${toHex(key.publicKey)}`;

let server: PrivatePostgres;
let records: readonly RecordRow[];
let head: HeadRow;

const url = (database: string): string => server.options(database).url;
const record = (): RecordRow => records[0] ?? assert.fail('no record');

/** The head as the log key of these tests signs it. */
function signed({ size, root }: HeadRow): HeadRow {
  const text = checkpointText({ origin: key.name, size, root });
  const checkpoint = signedNote(text, key, sign(null, fromText(text), privateKey), nodeCrypto);
  return { size, root, checkpoint };
}

/** The first unit is put into the nest once more, and is held there for some seconds. */
async function bringBack(world: World): Promise<void> {
  const { line } = stationOf(world, 1).fixture;
  await line.putByHand(1);
  await pass(world, 5_000);
  line.takeByHand();
  await pass(world, 5_000);
}

before(async () => {
  const { fleet, entries } = await simulatedLine(UNITS, bringBack);
  server = await privatePostgres(['fleet', 'spoilt']);
  for (const database of ['fleet', 'spoilt']) {
    await using store = await openPostgresFleetStore(server.options(database));
    const names = entries.flatMap(({ fact }) => (fact.name === 'identified' ? [fact.identity.eid] : []));
    head = await copyFleet(fleet, store, [...new Set(names)], signed);
  }
  records = await fleet.transaction((tx) => tx.listRecords(UNITS));
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(top, { recursive: true });
});

describe('holdfast fleet list', () => {
  it('shows the units that have a record, the newest first', async () => {
    const { code, out, err } = await holdfast(['fleet', 'list', '--database', url('fleet')]);
    assert.equal(code, 0, err);
    const shown = out.split('\n').flatMap((line) => /^\d{32}/.exec(line) ?? []);
    assert.deepEqual(
      shown,
      records.map(({ eid }) => eid),
    );
    const limited = await holdfast(['fleet', 'list', '--limit', '1', '--json'], {
      DATABASE_URL: url('fleet'),
    });
    assert.deepEqual(
      JSON.parse(limited.out).map((unit: { eid: string }) => unit.eid),
      [record().eid],
    );
  });

  it('finds the database in the directory of a line', async () => {
    const line = join(top, 'line');
    mkdirSync(join(line, 'backend'), { recursive: true });
    writeFileSync(join(line, 'backend', 'backend.json'), JSON.stringify({ databaseUrl: url('fleet') }));
    const { code, out } = await holdfast(['fleet', 'list', '--dir', line, '--json']);
    assert.equal(code, 0);
    assert.equal(JSON.parse(out).length, UNITS);
  });

  it('is a fault, without the URL, when nobody answers', async () => {
    const nowhere = `postgresql:///fleet?host=${encodeURIComponent(top)}&user=x&password=geheim`;
    const { code, out, err } = await holdfast(['fleet', 'list', '--database', nowhere]);
    assert.equal(code, 1);
    assert.match(err, /^The fleet database cannot be reached \(STORE_UNAVAILABLE\)/);
    assert.ok(!`${out}${err}`.includes('geheim'));
  });
});

describe('holdfast fleet show', () => {
  it('shows record, absent fields with their reason, receipts, custody, log and events', async () => {
    const { eid, certificateSerial, leafIndex } = record();
    const { code, out, err } = await holdfast(['fleet', 'show', '--eid', eid, '--database', url('fleet')]);
    assert.equal(code, 0, err);
    assert.match(out, new RegExp(`^ {2}EID +${eid}$`, 'm'));
    assert.match(out, new RegExp(`serial +${certificateSerial}$`, 'm'));
    assert.match(out, /barcode +not known: this station has no barcode scanner$/m);
    assert.match(out, /^ {2}transit seal +sequence counter \d+, confirmed in epoch 1$/m);
    assert.match(out, new RegExp(`place +leaf ${leafIndex} of ${head.size}$`, 'm'));
    assert.match(out, /^Custody\n {2}ticket-authority +ticket +epoch 1 +[0-9a-f]{64}$/m);
    assert.match(out, /^ {2}station station-1 +\S/m);
    const events = out.slice(out.indexOf('\nEvents\n'));
    for (const fact of ['arrived', 'identified', 'reserved', 'intent', 'confirmed', 'registered', 'released'])
      assert.match(events, new RegExp(` ${fact} `));
    for (const other of records.slice(1)) assert.ok(!events.includes(`…${other.eid.slice(-4)}`));
  });

  it('gives all of it as JSON', async () => {
    const { out } = await holdfast(['fleet', 'show', '--eid', record().eid, '--json'], {
      DATABASE_URL: url('fleet'),
    });
    const unit = JSON.parse(out);
    assert.deepEqual(unit.record, JSON.parse(toText(record().record)));
    assert.equal(unit.operation.state, 'released');
    assert.equal(unit.confirmations.length, 1);
    assert.equal(unit.custody.length, 4);
    assert.equal(unit.leaf.index, record().leafIndex);
    const { sequenceCounter } = unit.record.keyInjection;
    assert.deepEqual(unit.transitSeal, { epoch: 1, sequenceCounter });
    assert.ok(Number.isInteger(sequenceCounter));
    assert.deepEqual(unit.appearances, []);
  });

  it('shows that a unit came back, and what became of it', async () => {
    const eid = eidOfIndex(1);
    const { out } = await holdfast(['fleet', 'show', '--eid', eid, '--database', url('fleet')]);
    const shown =
      /^Appearances\n {2}rework +\S+ +at station-1, nest a +known at station-1, nest a +UNIT_RELEASED_BEFORE +leaf \d+$/m;
    assert.match(out, shown);
    assert.match(out, /^ {2}state +released: /m);
  });

  it('says so when the fleet does not know the unit', async () => {
    const { code, err } = await holdfast([
      'fleet',
      'show',
      '--eid',
      '89049032000000000000000000009960',
      '--database',
      url('fleet'),
    ]);
    assert.equal(code, 1);
    assert.match(err, /does not know a unit with the EID/);
  });
});

describe('holdfast audit verify', () => {
  const verify = (database: string, ...args: readonly string[]) =>
    holdfast(['audit', 'verify', '--database', url(database), '--log-key', logKey, ...args]);

  it('proves every leaf, the root, the signature and the inclusion of each record', async () => {
    const { code, out, err } = await verify('fleet');
    assert.equal(code, 0, `${out}${err}`);
    assert.match(out, new RegExp(`^leaves +${head.size} of ${head.size}: .*${UNITS} registration`, 'm'));
    assert.match(out, new RegExp(`^records +${UNITS} identity records, each the one that was logged$`, 'm'));
    assert.match(out, new RegExp(`^inclusion +${UNITS} proofs verified$`, 'm'));
    assert.match(out, /^VERIFIED$/m);
    const json = JSON.parse((await verify('fleet', '--json')).out);
    assert.equal(json.verified, true);
    assert.equal(json.inclusionProofs, UNITS);
  });

  it('believes only the key that it was told', async () => {
    const other = `${key.name}:${'11'.repeat(32)}`;
    const { code, out } = await holdfast(['audit', 'verify', '--database', url('fleet'), '--log-key', other]);
    assert.equal(code, 1);
    assert.match(out, /^NOT VERIFIED: checkpoint: it is not signed by the log key of test\.example\/log$/m);
  });

  it('takes the key that the stations of the line know', async () => {
    const line = join(top, 'audited');
    mkdirSync(join(line, 'station-1'), { recursive: true });
    const settings = { logKey: { name: key.name, publicKey: toHex(key.publicKey) } };
    writeFileSync(join(line, 'station-1', 'station.json'), JSON.stringify(settings));
    const { code } = await holdfast(['audit', 'verify', '--dir', line], { DATABASE_URL: url('fleet') });
    assert.equal(code, 0);
  });

  /** One thing is spoilt, named, and mended again. */
  const spoilt = async (change: string, mend: string, named: RegExp): Promise<void> => {
    await query(url('spoilt'), change);
    const { code, out, err } = await verify('spoilt');
    await query(url('spoilt'), mend);
    assert.equal(code, 1);
    assert.match(out, named);
    assert.match(err, /\(LOG_FORKED\)/);
    assert.equal((await verify('spoilt')).code, 0, 'mended');
  };
  const replaced = (from: string, to: string): string =>
    `update identity_record set record = convert_to(replace(convert_from(record, 'UTF8'), '${from}', '${to}'), 'UTF8')`;

  it('names the first leaf whose record was changed', () =>
    spoilt(
      replaced('"batch":"SIM-BATCH-1"', '"batch":"SIM-BATCH-2"'),
      replaced('"batch":"SIM-BATCH-2"', '"batch":"SIM-BATCH-1"'),
      /^NOT VERIFIED: leaf \d+ \(record\/[^)]*\): the stored identity record is another than was logged$/m,
    ));

  it('names the leaf of an appearance that was changed, or is gone', async () => {
    const change = (from: string, to: string): string =>
      `update appearance set entry = convert_to(replace(convert_from(entry, 'UTF8'), '${from}', '${to}'), 'UTF8')`;
    await spoilt(
      change('"rework"', '"resume"'),
      change('"resume"', '"rework"'),
      /^NOT VERIFIED: leaf \d+ \(appearance\/.*\): the stored appearance is another than was logged$/m,
    );
    await spoilt(
      `update appearance set "key" = 'gone/' || "key"`,
      `update appearance set "key" = replace("key", 'gone/', '')`,
      /^NOT VERIFIED: leaf \d+ \(appearance\/.*\): its appearance is missing$/m,
    );
  });

  it('names a leaf that was changed', () =>
    spoilt(
      `update log_leaf set entry = entry || '\\x20' where "index" = 3`,
      `update log_leaf set entry = substr(entry, 1, length(entry) - 1) where "index" = 3`,
      /^NOT VERIFIED: leaf 3 \(.*\): its hash is not the hash of its entry$/m,
    ));

  it('names a leaf that is missing', () =>
    spoilt(
      `update log_leaf set "index" = "index" + 100000 where "index" = 5`,
      `update log_leaf set "index" = "index" - 100000 where "index" = 100005`,
      /^NOT VERIFIED: leaf 5: it is missing$/m,
    ));

  it('names a record that no leaf stands for', () =>
    spoilt(
      `insert into identity_record select 'forged', '1', '2', '3', record, record_hash, leaf_index + 100000
         from identity_record limit 1`,
      `delete from identity_record where operation = 'forged'`,
      /^NOT VERIFIED: identity record of operation forged: leaf \d+ of the log is not its own$/m,
    ));

  it('names a leaf whose record is gone', () =>
    spoilt(
      `update identity_record set operation = operation || '-gone' where leaf_index = ${record().leafIndex}`,
      `update identity_record set operation = replace(operation, '-gone', '')`,
      /^NOT VERIFIED: leaf \d+ \(record\/[^)]*\): its identity record is missing$/m,
    ));

  it('names a station event that was changed', () =>
    spoilt(
      `update station_event set text = replace(text, '"clamped"', '"clampet"') where sequence = 2`,
      `update station_event set text = replace(text, '"clampet"', '"clamped"') where sequence = 2`,
      /^NOT VERIFIED: leaf \d+ \(event\/[^)]*\/2\): the station event does not continue the journal/m,
    ));

  it('needs a key from somebody', async () => {
    const { code, err } = await holdfast(['audit', 'verify', '--database', url('fleet'), '--dir', top]);
    assert.equal(code, 2);
    assert.match(err, /--log-key NAME:HEX/);
  });
});
