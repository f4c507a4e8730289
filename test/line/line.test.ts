/** The line as a user runs it: real programs, real components, judged from outside with other people's tools. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { equal, fromHex, toText } from '../../runtime/core/bytes.ts';
import { verifyRecord } from '../../runtime/core/ceremony/verification.ts';
import { openCheckpoint } from '../../runtime/core/log/checkpoint.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { leafHash, MerkleTree, verifyInclusion } from '../../runtime/core/log/tree.ts';
import { hashOf, type Role } from '../../runtime/core/messages/envelope.ts';
import { type IdentityRecord, identityRecord } from '../../runtime/core/record/identity-record.ts';
import type { HeadRow, LeafRow, RecordRow } from '../../runtime/core/store/fleet.ts';
import { findSecrets } from '../../scripts/laboratory/secret-scan.ts';
import { filesIn, secretsOf } from '../../scripts/laboratory/secrets.ts';
import type { Summary } from '../../scripts/laboratory/tally.ts';
import { startPostgres } from '../../scripts/stand/postgres.ts';
import { holdfast } from '../cli/support.ts';

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'holdfast-line-'));
const line = join(directory, 'line');
const STATIONS = ['station-1', 'station-2'];

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
  /** What a dock and a customer are told of the first unit. */
  readonly told: readonly string[];
}

async function readFleet(): Promise<Fleet> {
  await using postgres = await startPostgres({ directory: join(line, 'postgres'), databases: ['fleet'] });
  const url = `postgresql:///fleet?host=${encodeURIComponent(postgres.socketDirectory)}&port=${postgres.port}&user=${postgres.user}`;
  const store = await openPostgresFleetStore({
    url,
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 10_000,
    poolMax: 1,
  });
  try {
    const rows = await store.transaction(async (tx) => ({
      records: await tx.listRecords(1000),
      leaves: await tx.leaves(0, 100_000),
      head: await tx.readHead(),
    }));
    return { ...rows, told: await toldOf(rows.records.at(-1)?.eid ?? '', url) };
  } finally {
    await store.close();
  }
}

/** Its birth certificate is written, verified with the policy of the line's witness, and it is asked for at the dock. */
async function toldOf(eid: string, url: string): Promise<readonly string[]> {
  const [proof, record, policy] = ['unit.tlog-proof', 'unit.record', 'policy'].map((name) =>
    join(line, name),
  );
  const about = ['--eid', eid, '--database', url, '--dir', line];
  const commands = [
    ['fleet', 'proof', '--to', proof, '--record', record, ...about],
    ['proof', 'verify', proof, '--record', record, '--policy', policy],
    ['fleet', 'may-ship', ...about],
  ];
  const told: string[] = [];
  for (const args of commands) told.push((await holdfast(args.map(String))).out.trimEnd());
  return told;
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

  it('issues certificates that OpenSSL verifies strictly up to the root, with every revocation list', () => {
    for (const row of fleet.records) {
      const file = join(directory, 'device.pem');
      const lines = certificateIn(recordIn(row)).der.match(/.{1,64}/g) ?? [];
      writeFileSync(file, `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`);
      const pki = join(line, 'pki');
      const chain = [
        '-CAfile',
        join(pki, '..', 'offline-root', 'root.pem'),
        '-untrusted',
        join(pki, 'issuer.pem'),
      ];
      const lists = ['root.crl.pem', 'line-1.crl.pem'].flatMap((name) => [
        '-CRLfile',
        join(line, 'crl', name),
      ]);
      const args = ['verify', '-x509_strict', '-crl_check_all', ...lists, ...chain, file];
      const said = execFileSync('openssl', args, { encoding: 'utf8' });
      assert.match(said, /OK/);
    }
  });

  it('was set up by a ceremony whose record verifies, and is the first leaf of the log', () => {
    const jws = readFileSync(join(line, 'gateway-1', 'ceremony', 'record.jws'), 'utf8').trim();
    const backend = readFileSync(join(line, 'backend', 'backend.json'), 'utf8');
    const { trusted } = JSON.parse(backend) as { trusted: { name: string; role: Role; publicKey: string }[] };
    const keys = trusted.map((key) => ({ ...key, publicKey: fromHex(key.publicKey) }));
    const { record } = verifyRecord(jws, keys, nodeCrypto);
    const made = record.steps.flatMap(({ key }) => key?.key ?? []);
    for (const key of ['transport-master', 'mdk-1', 'confirmation', 'issuer-line-1'])
      assert.ok(made.includes(key), key);
    const leaves = fleet.leaves.map(({ entry }) => readLeaf(entry));
    const linked = leaves.flatMap((leaf) => (leaf?.kind === 'ceremony' ? [leaf.body.recordHash] : []));
    // Two runs in one directory: the record keeps its leaf.
    assert.deepEqual([leaves[0]?.kind, linked], ['ceremony', [hashOf(jws, nodeCrypto)]]);
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

  it('has its log witnessed: a unit has a birth certificate that verifies, and may ship', () => {
    const [proof = '', verified = '', dock] = fleet.told;
    assert.match(proof, /unit\.tlog-proof: leaf \d+ of \d+, cosigned by 1 witness$/);
    assert.match(verified, /cosigned +\S+Z by laboratory\nVERIFIED$/);
    assert.equal(dock, 'MAY SHIP');
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
    const secrets = secretsOf(line, STATIONS);
    const places = ['station-1', 'station-2', 'logs', 'broker'].flatMap((part) => filesIn(join(line, part)));
    assert.ok(secrets.length > 80 && places.length > 20, `${secrets.length} secrets, ${places.length} files`);
    assert.deepEqual(findSecrets(secrets, places), []);
  });

  it('would have found one: a planted key and a planted PIN are', () => {
    const [first, last] = [secretsOf(line, STATIONS)[0], secretsOf(line, STATIONS).at(-1)];
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
