import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromText, toBase64 } from '../../runtime/core/bytes.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { readTimestampAnswer, timestampRequest } from '../../runtime/core/log/timestamp.ts';
import { keepTimestampInstruction } from '../../runtime/core/messages/timestamp.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { inProcess, noCeremony } from '../cli/support.ts';

const top = mkdtempSync(join(tmpdir(), 'timestamp-'));
const at = (name: string): string => join(top, name);
const DAY_MS = 86_400_000;

let world: World;

function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A time-stamping authority of this test: its own root, and openssl ts. */
function makeAuthority(): void {
  writeFileSync(
    at('tsa.cnf'),
    `[tsa]
dir = ${top}
serial = ${at('serial')}
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
[ext]
extendedKeyUsage = critical,timeStamping
[req]
distinguished_name = dn
[dn]
`,
  );
  writeFileSync(at('serial'), '01\n');
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=Authority', '-config', 'tsa.cnf', '-extensions', 'ext'],
    ...['-keyout', 'tsa.key', '-out', 'tsa.pem'],
  );
}

function stamped(request: string, answer: string): Buffer {
  const key = ['-signer', 'tsa.pem', '-inkey', 'tsa.key', '-config', 'tsa.cnf', '-section', 'tsa'];
  openssl('ts', '-reply', '-queryfile', request, ...key, '-out', answer);
  return readFileSync(at(answer));
}

function command(...args: readonly string[]) {
  const store = world.fleet.connect();
  return inProcess(['audit', 'timestamp', ...args], {
    openFleet: async () => ({
      read: (work) => store.transaction(work),
      operation: (eid) => store.transaction((tx) => tx.operationByEid(eid)),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    ceremony: {
      ...noCeremony,
      random: (count) => new Uint8Array(count).fill(0x81),
      shelf: { ...noCeremony.shelf, read: async (path) => (existsSync(path) ? readFileSync(path) : null) },
    },
    write: async (path, content) => writeFileSync(path, content),
    instruct: (_socket, of, body) => world.instructions[of.to].instruct(of, body),
  });
}

const keep = (answer: string) =>
  command('keep', '--of', at('now'), '--answer', at(answer), '--socket', 'backend');

before(async () => {
  makeAuthority();
  world = await createWorld({ seed: 'stamped', stations: 1, units: 1 });
  await world.run(DAY_MS);
});
after(() => rmSync(top, { recursive: true }));

describe('a time-stamp of the fleet log', () => {
  it('is asked for in words that an authority understands, and what it answers holds for openssl', async () => {
    const { code, err } = await command('request', '--database', 'postgresql://x', '--to', at('now'));
    assert.equal(code, 0, err);
    const answer = stamped('now.tsq', 'now.tsr');
    const { imprint, at: time } = readTimestampAnswer(answer) ?? assert.fail('not understood');
    assert.deepEqual([...imprint], [...nodeCrypto.sha256(readFileSync(at('now.checkpoint')))]);
    assert.match(time, /^20\d\d-/);
    const judged = openssl(
      'ts',
      '-verify',
      '-data',
      'now.checkpoint',
      '-in',
      'now.tsr',
      '-CAfile',
      'tsa.pem',
    );
    assert.match(judged, /OK/);
  });

  it('is a leaf of the log, once however often it is told', async () => {
    const size = async () => (await world.fleet.connect().transaction((tx) => tx.readHead())).size;
    const [first, grown] = [await keep('now.tsr'), await size()];
    assert.equal(first.code, 0, first.err);
    assert.equal((await keep('now.tsr')).out, first.out);
    assert.equal(await size(), grown);
    const [leaf] = await world.fleet.connect().transaction((tx) => tx.leaves(grown - 1, 1));
    const said = readLeaf(leaf?.entry ?? assert.fail('no leaf'));
    assert.equal(said?.kind, 'timestamp');
    assert.equal(said?.body.answer, readFileSync(at('now.tsr')).toString('base64'));
  });

  it('is kept only where it stamps a checkpoint of this log', async () => {
    const other = nodeCrypto.sha256(fromText('something else'));
    writeFileSync(at('other.tsq'), timestampRequest(other, Uint8Array.of(1)));
    const refused = { code: 'TIMESTAMP_INVALID' };
    stamped('other.tsq', 'other.tsr');
    const told = await keep('other.tsr');
    assert.equal(told.code, 1);
    assert.match(told.err, /TIMESTAMP_INVALID/);
    const { instruct } = world.instructions.backend;
    const answer = readFileSync(at('now.tsr')).toString('base64');
    const checkpoint = readFileSync(at('now.checkpoint'), 'utf8');
    const forged = checkpoint.replace(/^(\S+\n)\d+/, '$19999');
    await assert.rejects(instruct(keepTimestampInstruction, { checkpoint: forged, answer }), refused);
    const rubbish = toBase64(fromText('no answer'));
    await assert.rejects(instruct(keepTimestampInstruction, { checkpoint, answer: rubbish }), refused);
  });
});
