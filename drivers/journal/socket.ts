/**
 * Lets people read the journal of a running station: a Unix socket, JSON lines, read verbs only. LevelDB
 * belongs to one process, so whoever wants to look asks that process.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as breathe } from 'node:timers/promises';
import { asFault } from '../../runtime/core/faults.ts';
import type { EntryMark, Genesis, JournalEntry } from '../../runtime/core/journal/entry.ts';
import type { Journal } from '../../runtime/core/ports.ts';

/** `{"verb":"range","from":0}`: genesis and what was given up, then every entry from there on, then the end. */
export interface RangeRequest {
  readonly verb: 'range';
  readonly from: number;
}

export type SocketLine =
  | { readonly genesis: Genesis; readonly cut: EntryMark | null }
  | { readonly entry: Pick<JournalEntry, 'sequence' | 'text' | 'hash'> }
  | { readonly end: true }
  | { readonly error: string };

/** Entries between two turns of the event loop: a reader must not delay the unit in work. */
const CHUNK = 64;
const READERS_MAX = 8;
const MODE = 0o660;

export async function serveJournal(options: {
  readonly path: string;
  readonly journal: Journal;
  readonly genesis: Genesis;
}): Promise<{ close(): Promise<void> }> {
  const { path, journal, genesis } = options;
  const sockets = new Set<Socket>();
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    // An error is followed by `close`, which is all that matters of a reader, also of one that is turned away.
    socket.on('error', () => sockets.delete(socket));
    if (sockets.size >= READERS_MAX) {
      socket.write(`${JSON.stringify({ error: 'too many readers' })}\n`);
      // Whether or not it hangs up: nobody waits for it.
      socket.destroySoon();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const lines = createInterface({ input: socket });
    // It repeats the socket's errors, and an unheard one would end the station.
    lines.on('error', () => sockets.delete(socket));
    lines.on('line', (line) => {
      answer(line, journal, genesis, socket).catch((error: unknown) => {
        socket.end(`${JSON.stringify({ error: asFault(error, 'UNEXPECTED').code })}\n`);
      });
    });
  });
  await listen(server, path);
  chmodSync(path, MODE);
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(path, { force: true });
    },
  };
}

async function answer(line: string, journal: Journal, genesis: Genesis, socket: Socket): Promise<void> {
  const request = JSON.parse(line) as Partial<RangeRequest>;
  if (request.verb !== 'range' || !Number.isSafeInteger(request.from)) {
    await write(socket, { error: 'the verbs are: range' });
    return;
  }
  let sent = 0;
  const entries = journal.read(request.from)[Symbol.asyncIterator]();
  let next = await entries.next();
  // Read after the first entry, which is the one after the cut: from there on nothing more goes from under this reader.
  await write(socket, { genesis, cut: journal.cut });
  for (; next.done !== true; next = await entries.next()) {
    const { sequence, text, hash } = next.value;
    await write(socket, { entry: { sequence, text, hash } });
    sent += 1;
    if (sent % CHUNK === 0) await breathe();
    if (socket.destroyed) return;
  }
  await write(socket, { end: true });
}

/** Waits for the reader when it is slow. */
function write(socket: Socket, line: SocketLine): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || socket.write(`${JSON.stringify(line)}\n`)) resolve();
    else {
      const done = (): void => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    }
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
