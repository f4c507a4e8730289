/** The socket of a running station: whatever a reader does, the station goes on and the next reader is served. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import { type SocketLine, serveJournal } from '../../drivers/journal/socket.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import { collect, genesis, samples } from './samples.ts';

const ENTRIES = 4_000;
const BATCH = 50;
const READERS_MAX = 8;
/** Pause after each piece: longer than it takes to fill what the kernel holds between the two. */
const SLOW_MS = 20;
/** How often the server is asked whether it has seen a reader go. */
const TRIES = 200;

const top = mkdtempSync(join(tmpdir(), 'journal-socket-'));
const path = join(top, 'journal.sock');
const ALL = '{"verb":"range","from":0}\n';
const warnings: Error[] = [];
const warned = (warning: Error): number => warnings.push(warning);
let journal: Journal & AsyncDisposable;
let server: Awaited<ReturnType<typeof serveJournal>>;

before(async () => {
  process.on('warning', warned);
  const directory = join(top, 'journal');
  await provisionJournal(directory, genesis);
  journal = await openLeveldbJournal({
    directory,
    sha256: nodeCrypto.sha256,
    laboratoryFileSystem: true,
    onWarning: () => undefined,
  });
  for (let from = 0; from < ENTRIES; from += BATCH) await journal.append(samples(BATCH, from));
  server = await serveJournal({ path, journal, genesis });
});
after(async () => {
  await server.close();
  await journal[Symbol.asyncDispose]();
  process.off('warning', warned);
  rmSync(top, { recursive: true });
});

/** Connects, asks, and resolves with the first bytes that come; the socket is then paused. */
async function ask(request: string): Promise<Socket> {
  const socket = connect(path);
  socket.write(request);
  await new Promise<void>((resolve, reject) => socket.once('data', () => resolve()).once('error', reject));
  socket.pause();
  return socket;
}

/** Every line of the answer up to `end`, `error` or the end of the connection. */
async function linesOf(request: string): Promise<readonly SocketLine[]> {
  const socket = connect(path);
  socket.write(request);
  const lines: SocketLine[] = [];
  try {
    for await (const line of createInterface({ input: socket })) {
      const parsed = JSON.parse(line) as SocketLine;
      lines.push(parsed);
      if ('end' in parsed || 'error' in parsed) break;
    }
  } finally {
    socket.destroy();
  }
  return lines;
}

async function assertServesAll(): Promise<void> {
  const lines = await linesOf(ALL);
  const stored = await collect(journal.read());
  assert.equal(stored.length, ENTRIES);
  assert.deepEqual(lines, [
    { genesis, cut: null },
    ...stored.map(({ sequence, text, hash }) => ({ entry: { sequence, text, hash } })),
    { end: true },
  ]);
}

describe('the socket of a running journal', () => {
  it('may be used by its owner and group, and by nobody else', () => {
    assert.equal(statSync(path).mode & 0o777, 0o660);
  });

  it('gives every entry in order, from the one that is asked for', async () => {
    await assertServesAll();
    const [first, second, third, ...rest] = await linesOf(`{"verb":"range","from":${ENTRIES - 1}}\n`);
    assert.deepEqual(first, { genesis, cut: null });
    assert.ok(second !== undefined && 'entry' in second && second.entry.sequence === ENTRIES - 1);
    assert.deepEqual([third, ...rest], [{ end: true }]);
  });

  it('survives a reader that goes away after the first data, and gives the next one everything', async () => {
    for (let i = 0; i < 3; i++) (await ask(ALL)).destroy();
    await assertServesAll();
  });

  it('waits for a reader that is slow, and warns of nothing meanwhile', async () => {
    const slow = await ask(ALL);
    let bytes = 0;
    slow.on('data', (chunk) => {
      bytes += chunk.length;
      slow.pause();
      setTimeout(() => slow.resume(), SLOW_MS);
      if (chunk.includes('{"end":true}')) slow.end();
    });
    slow.resume();
    await new Promise((resolve) => slow.once('close', resolve));
    assert.ok(bytes > ENTRIES * 100);
    assert.deepEqual(warnings, []);
  });

  it('answers a verb it does not have with those it has, and goes on listening', async () => {
    const help = [{ error: 'the verbs are: range' }];
    for (const request of ['{"verb":"append"}', '{"verb":"range"}', '{"verb":"range","from":"0"}', '{}'])
      assert.deepEqual(await linesOf(`${request}\n`), help);
    const two = await linesOf(`{"verb":"append"}\n${ALL}`);
    assert.deepEqual(two, help);
    assert.deepEqual(await linesOf('no JSON\n'), [{ error: 'UNEXPECTED' }]);
    assert.deepEqual(await linesOf('null\n'), [{ error: 'UNEXPECTED' }]);
    await assertServesAll();
  });

  it('tells a reader too many so, and takes one again when another has gone', async () => {
    const readers: Socket[] = [];
    for (let i = 0; i < READERS_MAX; i++) readers.push(await ask('{}\n'));
    const tooMany = [{ error: 'too many readers' }];
    assert.deepEqual(await linesOf(ALL), tooMany);
    // One that is turned away and has hung up already.
    connect(path).destroy();
    assert.deepEqual(await linesOf(ALL), tooMany);
    readers.pop()?.destroy();
    let lines = await linesOf('{}\n');
    for (
      let tries = 0;
      tries < TRIES && lines.some((line) => 'error' in line && line.error === 'too many readers');
      tries++
    ) {
      await pause(5);
      lines = await linesOf('{}\n');
    }
    assert.deepEqual(lines, [{ error: 'the verbs are: range' }]);
    for (const reader of readers) reader.destroy();
  });

  it('closes without waiting for those who still read', async () => {
    const other = join(top, 'other.sock');
    const second = await serveJournal({ path: other, journal, genesis });
    const sockets = Array.from({ length: READERS_MAX + 2 }, () => connect(other));
    const gone = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) {
      socket.on('error', () => undefined); // A reset by the server is one of the ways to be closed.
      socket.write(ALL);
      socket.resume();
    }
    await new Promise((resolve) => sockets[0]?.once('data', resolve));
    await second.close();
    await Promise.all(gone);
  });
});
