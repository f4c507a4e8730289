import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createVirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { bytes, command, hex, openSession, putKeyData, send, TRANSPORT_MASTER } from './support.ts';
import { openVpcdPeer, type VpcdPeer } from './vpcd-peer.ts';

const HOST = fileURLToPath(new URL('../../drivers/card-reader/virtual-se/host-main.js', import.meta.url));
const NEW_KEYS = { enc: 'a0'.repeat(16), mac: 'b1'.repeat(16), dek: 'c2'.repeat(16) };
type Answer = Readonly<Record<string, unknown>>;

describe('EIDs of virtual chips', () => {
  it('SGP.29 section 10: 32 digits that contain the index, with right check digits', () => {
    for (const index of [0, 1, 42, 999_999_999]) {
      const eid = eidOfIndex(index);
      assert.match(eid, new RegExp(`^8904\\d*0${index}\\d{2}$`));
      assert.equal(eid.length, 32);
      assert.equal(BigInt(eid) % 97n, 1n);
    }
    assert.equal(
      eidOfIndex(123_456_789_012, '890490321234512345').slice(0, 30),
      '890490321234512345123456789012',
    );
    assert.equal(eidOfIndex(123_456_789_012, '890490321234512345').slice(30), '35');
    assert.throws(() => eidOfIndex(-1), RangeError);
    assert.throws(() => eidOfIndex(1_000, '89'), RangeError);
  });
});

describe('the process that holds the chips of one station', () => {
  it('seats chips behind one open connection, keeps what they learn, and forgets nothing at SIGTERM', async () => {
    await using bench = await openBench();
    const { peer } = bench;
    const first = await bench.start();
    assert.equal(await peer.inserted(), 1);
    const seated = await first.ask({ verb: 'seat', index: 3 });
    assert.deepEqual(seated, { ok: true, eid: eidOfIndex(3) });
    assert.equal(await eidOf(peer), eidOfIndex(3));

    const expected = freshChip({
      eid: eidOfIndex(3),
      index: 3,
      transportMaster: TRANSPORT_MASTER,
      transportKeyVersion: 0x30,
    });
    await addKeys(peer, expected.keySets[0]?.dek ?? '');
    const contents = await first.ask({ verb: 'contents', index: 3 });
    assert.deepEqual(
      [contents.keyVersions, contents.hasCertificate, contents.lifeCycle],
      [[0x30, 0x31], false, 1],
    );
    const account = await first.ask({ verb: 'account', index: 3 });
    assert.equal(account.apdus, 4);
    assert.ok(Number(account.cardMs) > 0);

    assert.equal((await first.ask({ verb: 'seat', index: 4 })).ok, true);
    assert.equal(await eidOf(peer), eidOfIndex(4));
    assert.equal(await peer.inserted(), 1, 'the same connection all the time');
    assert.equal((await first.ask({ verb: 'account', index: 3 })).apdus, 4);
    await first.end();

    const second = await bench.start();
    assert.deepEqual(await second.ask({ verb: 'contents', index: 3 }), contents);
    await second.ask({ verb: 'seat', index: 3 });
    assert.equal(await eidOf(peer), eidOfIndex(3));
    await second.end();
    assert.equal((await stat(join(bench.directory, 'chips'))).mode & 0o777, 0o700);
    for (const file of await readdir(join(bench.directory, 'chips')))
      assert.equal((await stat(join(bench.directory, 'chips', file))).mode & 0o777, 0o600);
  });

  it('pulls and replugs, and comes back by itself when the reader service does', async () => {
    await using bench = await openBench();
    const { peer } = bench;
    const host = await bench.start();
    await host.ask({ verb: 'seat', index: 1 });
    assert.equal((await host.ask({ verb: 'pull' })).ok, true);
    assert.equal(await peer.ask(Buffer.of(4)), null);
    assert.deepEqual(await host.ask({ verb: 'replug' }), { ok: true, connected: true });
    assert.equal(await peer.inserted(), 2);
    peer.control(1);
    assert.equal(await eidOf(peer), eidOfIndex(1));
    peer.hangUp();
    assert.equal(await peer.inserted(), 3);
    await host.end();
  });

  it('holds liars where its configuration says so, and they remember their manner', async () => {
    await using bench = await openBench({
      4: { name: 'claims-another-eid' },
      5: { name: 'torn-after', at: 2 },
    });
    const { peer } = bench;
    const first = await bench.start();
    assert.deepEqual(await first.ask({ verb: 'seat', index: 4 }), { ok: true, eid: eidOfIndex(4) });
    assert.equal(await eidOf(peer), eidOfIndex(5));
    await first.ask({ verb: 'seat', index: 5 });
    assert.equal(await eidOf(peer), eidOfIndex(5));
    assert.equal(await eidOf(peer), '', 'the second command finds no card');
    await first.end();
    const second = await bench.start();
    assert.equal(await peer.inserted(), 2);
    await second.ask({ verb: 'seat', index: 5 });
    for (let nth = 3; nth <= 6; nth++)
      assert.equal(await eidOf(peer), eidOfIndex(5), 'torn once in its life');
    await second.end();
  });

  it('does not start with a manner that no chip has', async () => {
    await using bench = await openBench({ 4: { name: 'polite' } });
    await assert.rejects(bench.start(), /manners\.4\.name/);
  });

  it('answers what it cannot do with an error and goes on; tells no key', async () => {
    await using bench = await openBench();
    const host = await bench.start();
    for (const request of [
      { verb: 'melt' },
      { verb: 'seat' },
      { verb: 'seat', index: -1 },
      { verb: 'account', index: 9 },
      { verb: 'contents', index: 9 },
    ])
      assert.equal((await host.ask(request)).ok, false, JSON.stringify(request));
    assert.equal((await host.ask('not JSON')).ok, false);
    const { eid } = await host.ask({ verb: 'seat', index: 2 });
    const stored = JSON.parse(await readFile(join(bench.directory, 'chips', `${String(eid)}.json`), 'utf8'));
    const told = JSON.stringify(await host.ask({ verb: 'contents', index: 2 })) + host.log();
    for (const name of ['enc', 'mac', 'dek']) {
      assert.match(stored.keySets[0][name], /^[0-9a-f]{32}$/);
      assert.ok(!told.includes(stored.keySets[0][name]), name);
    }
    assert.ok(!told.includes(hex(TRANSPORT_MASTER)));
    await host.end();
  });
});

/** Adds a key set to the seated chip: three commands. The session is computed on a twin of the fresh chip. */
async function addKeys(peer: VpcdPeer, dek: string): Promise<void> {
  const eid = eidOfIndex(3);
  const state = freshChip({ eid, index: 3, transportMaster: TRANSPORT_MASTER, transportKeyVersion: 0x30 });
  const twin = createVirtualSe({ state, entropy: { bytes: (count) => Buffer.alloc(count) } });
  twin.powerOn();
  const sent: Buffer[] = [];
  const session = openSession({
    ...twin,
    transmit: (text) => {
      sent.push(Buffer.from(text));
      return twin.transmit(text);
    },
  });
  sent.push(session.wrap(command('80d80081', putKeyData(0x31, NEW_KEYS, { dek }))));
  for (const text of sent) assert.equal(hex((await peer.ask(text)) ?? bytes('')).slice(-4), '9000');
  assert.equal(send(twin, '00a4040000').slice(-4), '9000');
}

async function eidOf(peer: VpcdPeer): Promise<string> {
  return hex((await peer.ask(bytes('00ca005a00'))) ?? bytes('')).slice(0, -4);
}

interface Host {
  ask(request: object | string): Promise<Answer>;
  log(): string;
  end(): Promise<void>;
}

async function openBench(
  manners: object = {},
): Promise<
  AsyncDisposable & { readonly peer: VpcdPeer; readonly directory: string; start(): Promise<Host> }
> {
  const directory = await mkdtemp(join(tmpdir(), 'virtual-se-'));
  const peer = await openVpcdPeer();
  const configPath = join(directory, 'config.json');
  const socketPath = join(directory, 'host.sock');
  await writeFile(join(directory, 'master'), `${hex(TRANSPORT_MASTER)}\n`, { mode: 0o600 });
  await writeFile(
    configPath,
    JSON.stringify({
      vpcdHost: '127.0.0.1',
      vpcdPort: peer.port,
      socketPath,
      chipsDirectory: join(directory, 'chips'),
      transportMasterFile: join(directory, 'master'),
      transportKeyVersion: 0x30,
      seed: 'test',
      manners,
    }),
  );
  const children: ChildProcess[] = [];
  return {
    peer,
    directory,
    start: async () => {
      const child = spawn(process.execPath, [HOST, configPath], { stdio: ['ignore', 'pipe', 'pipe'] });
      children.push(child);
      return startedHost(child, socketPath);
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) child.kill('SIGKILL');
      await peer[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startedHost(child: ChildProcess, socketPath: string): Promise<Host> {
  let log = '';
  child.stderr?.on('data', (chunk) => {
    log += chunk;
  });
  assert.ok(child.stdout);
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the host ended: ${log}`)));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      log += line;
      if (line.includes('"ready"')) resolve();
    });
  });
  const socket: Socket = connect(socketPath);
  await once(socket, 'connect');
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  let id = 0;
  return {
    log: () => log,
    ask: async (request) => {
      id++;
      socket.write(typeof request === 'string' ? `${request}\n` : `${JSON.stringify({ id, ...request })}\n`);
      const { value } = await lines.next();
      const { id: answered, ...answer } = JSON.parse(String(value));
      assert.equal(answered, typeof request === 'string' ? null : id);
      return answer;
    },
    end: async () => {
      socket.destroy();
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      assert.equal(child.exitCode, 0, log);
    },
  };
}
