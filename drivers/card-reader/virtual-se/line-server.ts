/**
 * Requests and answers as JSON lines over a Unix socket: `{id, verb, ...}` gives `{id, ok: true, ...}` or
 * `{id, ok: false, error}`. One request at a time, in the order of their arrival over all connections.
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';

export interface LineServerOptions {
  readonly path: string;
  /** Carries out one request. What it rejects with is answered as `error`, by its message. */
  readonly serve: (request: Readonly<Record<string, unknown>>) => Promise<object>;
}

const CONNECTIONS_MAX = 16;
/** Requests that may wait on one connection before it is closed. */
const WAITING_MAX = 256;
const LINE_CHARACTERS_MAX = 65_536;

export async function openLineServer(options: LineServerOptions): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  let turn: Promise<void> = Promise.resolve();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // The client has gone; its answers have nowhere to go.
    let waiting = 0;
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      waiting += lines.length;
      if (rest.length > LINE_CHARACTERS_MAX || waiting > WAITING_MAX) {
        socket.destroy();
        return;
      }
      for (const line of lines)
        turn = turn.then(async () => {
          const answer = await respond(line, options.serve);
          waiting--;
          if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
        });
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, options.path);
  await chmod(options.path, 0o600);
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      await rm(options.path, { force: true });
    },
  };
}

async function respond(line: string, serve: LineServerOptions['serve']): Promise<object> {
  let id: unknown = null;
  try {
    const request: unknown = JSON.parse(line);
    if (typeof request !== 'object' || request === null) throw new TypeError('a request is an object');
    id = (request as { id?: unknown }).id ?? null;
    return { id, ok: true, ...(await serve(request as Record<string, unknown>)) };
  } catch (error) {
    return { id, ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

async function listen(server: Server, path: string): Promise<void> {
  await rm(path, { force: true }); // Left by a host that was killed.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
