/** The line as a user runs it: real programs, real components, judged from outside with other people's tools. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { equal, fromBase64, fromHex, toText } from '../../runtime/core/bytes.ts';
import { openCheckpoint } from '../../runtime/core/log/checkpoint.ts';
import { leafHash, MerkleTree, verifyInclusion } from '../../runtime/core/log/tree.ts';
import { type IdentityRecord, identityRecord } from '../../runtime/core/record/identity-record.ts';
import type { HeadRow, LeafRow, RecordRow } from '../../runtime/core/store/fleet.ts';
import type { Summary } from '../../scripts/laboratory/tally.ts';
import { startPostgres } from '../../scripts/stand/postgres.ts';
import { findSecrets, type Place, type Secret } from '../secrets/scan.ts';

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'holdfast-line-'));
const line = join(directory, 'line');

async function runLine(units: number, stations: number): Promise<Summary> {
  const summary = join(directory, 'summary.json');
  await run(process.execPath, [
    'dist/scripts/laboratory/main.js',
    ...[
      '--units',
      String(units),
      '--stations',
      String(stations),
      '--dir',
      line,
      '--summary',
      summary,
      '--json',
    ],
  ]);
  return JSON.parse(readFileSync(summary, 'utf8')) as Summary;
}

interface Fleet {
  readonly records: readonly RecordRow[];
  readonly leaves: readonly LeafRow[];
  readonly head: HeadRow;
}

async function readFleet(): Promise<Fleet> {
  await using postgres = await startPostgres({ directory: join(line, 'postgres'), databases: ['fleet'] });
  const store = await openPostgresFleetStore({
    url: `postgresql:///fleet?host=${encodeURIComponent(postgres.socketDirectory)}&port=${postgres.port}&user=${postgres.user}`,
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 10_000,
    poolMax: 1,
  });
  try {
    return await store.transaction(async (tx) => ({
      records: await tx.listRecords(1000),
      leaves: await tx.leaves(0, 100_000),
      head: await tx.readHead(),
    }));
  } finally {
    await store.close();
  }
}

describe('a line on this machine', () => {
  let one: Summary;
  let two: Summary;
  let fleet: Fleet;
  before(async () => {
    one = await runLine(20, 1);
    two = await runLine(8, 2);
    fleet = await readFleet();
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('releases 20 units on one station', () => {
    assert.deepEqual([one.units, one.released, one.rejected, one.held, one.quarantined], [20, 20, 0, 0, 0]);
    for (const name of ['wallSeconds', 'unitMs', 'overheadMs'] as const) assert.ok(one[name], name);
  });

  it('goes on in the same directory with two stations side by side', () => {
    assert.deepEqual([two.released, two.stations], [8, 2]);
    assert.equal(fleet.records.length, 28);
  });

  it('gives every unit a record of its own chip, key pair and certificate', () => {
    const records = fleet.records.map(recordIn);
    for (const of of ['eid', 'operation'] as const) assert.equal(new Set(records.map((r) => r[of])).size, 28);
    assert.equal(new Set(records.map((r) => certificateIn(r).publicKeyHash)).size, 28);
    for (const record of records) assert.ok(record.operator.length > 0 && record.custody.length >= 4);
  });

  it('issues certificates that OpenSSL verifies strictly up to the root', () => {
    for (const row of fleet.records) {
      const file = join(directory, 'device.pem');
      const lines = certificateIn(recordIn(row)).der.match(/.{1,64}/g) ?? [];
      writeFileSync(file, `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`);
      const pki = join(line, 'pki');
      const chain = ['-CAfile', join(pki, 'root.pem'), '-untrusted', join(pki, 'issuer.pem')];
      const said = execFileSync('openssl', ['verify', '-x509_strict', ...chain, file], { encoding: 'utf8' });
      assert.match(said, /OK/);
    }
  });

  it('proves every record in the log that its checkpoint signs', () => {
    const station = JSON.parse(readFileSync(join(line, 'station-1', 'station.json'), 'utf8')) as {
      logKey: { name: string; publicKey: string };
    };
    const key = { name: station.logKey.name, publicKey: fromHex(station.logKey.publicKey) };
    const checkpoint = openCheckpoint(fleet.head.checkpoint, key, nodeCrypto);
    assert.ok(checkpoint);
    const tree = new MerkleTree(nodeCrypto.sha256);
    for (const leaf of fleet.leaves) tree.append(leafHash(leaf.entry, nodeCrypto.sha256));
    assert.ok(equal(tree.root(), checkpoint.root));
    for (const row of fleet.records) {
      const proof = tree.inclusionProof(row.leafIndex, checkpoint.size);
      const claim = {
        index: row.leafIndex,
        size: checkpoint.size,
        leaf: tree.leaf(row.leafIndex),
        proof,
        root: checkpoint.root,
      };
      assert.ok(verifyInclusion(claim, nodeCrypto.sha256));
      const leaf = JSON.parse(toText(fleet.leaves[row.leafIndex]?.entry ?? new Uint8Array(0))) as {
        body: { recordHash: string };
      };
      assert.equal(leaf.body.recordHash, row.recordHash);
    }
  });

  it('lets no unit through the gate without its record, as the board itself wrote down', () => {
    for (const name of ['station-1', 'station-2']) {
      const log = readFileSync(join(line, 'fixtures', name, 'gate.log'), 'utf8')
        .trim()
        .split('\n');
      const gates = log.map((text) => JSON.parse(text) as { event: string; arrival: number; unit: number });
      const left = gates.filter((gate) => gate.event === 'LEFT');
      assert.equal(new Set(left.map((gate) => gate.unit)).size, left.length);
      for (const gate of left)
        assert.equal(gates.filter((g) => g.event === 'OPENED' && g.arrival === gate.arrival).length, 1);
    }
  });

  it('leaves no key and no PIN in any file of a station, nor in any log', () => {
    const secrets = secretsOf(line);
    const places = ['station-1', 'station-2', 'logs', 'broker'].flatMap((part) => filesIn(join(line, part)));
    assert.ok(secrets.length > 80 && places.length > 20, `${secrets.length} secrets, ${places.length} files`);
    assert.deepEqual(findSecrets(secrets, places), []);
  });

  it('would have found one: a planted key and a planted PIN are', () => {
    const [first, last] = [secretsOf(line)[0], secretsOf(line).at(-1)];
    assert.ok(first && last);
    for (const secret of [first, last]) {
      const planted = {
        name: 'log',
        bytes: Buffer.from(`{"note":"${Buffer.from(secret.bytes).toString('hex')}"}`),
      };
      assert.equal(findSecrets([secret], [planted]).length, 1);
    }
  });
});

function certificateIn({ certificate }: IdentityRecord) {
  assert.ok(!('absent' in certificate));
  return certificate;
}

function recordIn(row: RecordRow): IdentityRecord {
  return identityRecord.parse(JSON.parse(toText(row.record)));
}

/** Keys of chips, masters, tags, and PINs: what a station must never hold, its own PIN file apart. */
function secretsOf(root: string): readonly Secret[] {
  const text = (...parts: readonly string[]): string => readFileSync(join(root, ...parts), 'utf8').trim();
  const hexFile = (...parts: readonly string[]): Secret => ({
    name: parts.join('/'),
    bytes: fromHex(text(...parts)),
  });
  const pin = (...parts: readonly string[]): Secret => ({
    name: parts.join('/'),
    bytes: Buffer.from(text(...parts)),
  });
  const pem = (...parts: readonly string[]): Secret => ({
    name: parts.join('/'),
    // The private scalar inside PKCS#8.
    bytes: fromBase64(text(...parts).replace(/-----[A-Z ]+-----|\s/g, '')).subarray(36, 68),
  });
  const chips = ['station-1', 'station-2'].flatMap((station) =>
    readdirSync(join(root, 'fixtures', station, 'chips')).flatMap((file) => {
      const chip = JSON.parse(text('fixtures', station, 'chips', file)) as {
        keySets: { enc: string; mac: string; dek: string }[];
        pairs: Record<string, string>;
      };
      const keys = [
        ...chip.keySets.flatMap((set) => [set.enc, set.mac, set.dek]),
        ...Object.values(chip.pairs),
      ];
      return keys.map((key) => ({ name: `a key of ${file}`, bytes: fromHex(key) }));
    }),
  );
  return [
    ...chips,
    hexFile('vendor', 'transport-master'),
    hexFile('fixtures', 'station-1', 'tag.key'),
    hexFile('fixtures', 'station-2', 'tag.key'),
    pem('backend', 'receipts.key'),
    pem('pki', 'root.key'),
    pem('pki', 'ticket-authority.key'),
    pin('gateway-1', 'token', 'pin'),
    pin('gateway-1', 'token', 'so-pin'),
    pin('station-1', 'token', 'pin'),
    pin('station-1', 'token', 'so-pin'),
  ];
}

/** Every file below, but the token with its PIN files: there the station's own keys belong. */
function filesIn(path: string): readonly Place[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/(^|\/)token(\/|$)/.test(name))
    .map((name) => join(path, name))
    .filter((name) => statSync(name).isFile())
    .map((name) => ({ name, bytes: readFileSync(name) }));
}
