/** A wire between client and server that can be cut at a chosen moment: a Unix socket in front of another. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `pass`: a plain wire. `lose-commit`: COMMIT reaches the server, and the connection dies before its answer.
 * `stall`: nothing passes any more, and nobody is told: a half-open link.
 */
export type Wire = 'pass' | 'lose-commit' | 'stall';

export interface SocketProxy extends AsyncDisposable {
  readonly directory: string;
  set(wire: Wire): void;
}

const SOCKET = '.s.PGSQL.5432';
/** A simple query `commit`. PostgreSQL section 55.7: Q, length, text, zero. */
const COMMIT = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');

export async function socketProxy(target: string): Promise<SocketProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'hp-'));
  const sockets = new Set<Socket>();
  let wire: Wire = 'pass';
  const server = createServer((client) => {
    const upstream = connect(join(target, SOCKET));
    let losing = false;
    const both = [client, upstream];
    for (const socket of both) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => both.forEach((other) => void other.destroy()));
      socket.on('end', () => both.forEach((other) => void other.end()));
    }
    client.on('data', (data) => {
      if (wire === 'stall') return;
      if (wire === 'lose-commit' && data.includes(COMMIT)) losing = true;
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (losing) client.destroy();
      else if (wire !== 'stall') client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(join(directory, SOCKET), resolve));
  return {
    directory,
    set: (next) => {
      wire = next;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
