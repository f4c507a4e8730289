/** Where a service may put its socket, its port and its pid file. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Most bytes of a Unix socket's path: sun_path holds 108 with its zero. unix(7). */
const SOCKET_PATH_BYTES_MAX = 107;

export interface SocketDirectory {
  readonly path: string;
  /** Removes the directory where it was made for the socket alone. */
  remove(): void;
}

/** `directory` itself where the socket's path fits, else a short private one. */
export function socketDirectory(directory: string, socketName: string): SocketDirectory {
  if (Buffer.byteLength(join(directory, socketName)) <= SOCKET_PATH_BYTES_MAX)
    return { path: directory, remove: () => undefined };
  const path = mkdtempSync(join(tmpdir(), 'hf-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A TCP port of 127.0.0.1 that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no TCP port'));
        else resolve(address.port);
      });
    });
  });
}

/**
 * Removes what a dead service left behind, and nothing where it lives: a pid file counts only while its
 * process runs under the program's name. A process that nobody has waited for (a zombie) is dead.
 */
export function clearStale(pidFile: string, program: string, alsoRemove: readonly string[]): void {
  const pid = contentOf(pidFile)?.split('\n')[0]?.trim();
  const status = pid === undefined ? null : contentOf(`/proc/${pid}/status`);
  const lives = status?.startsWith(`Name:\t${program}\n`) && !/^State:\tZ/m.test(status);
  if (lives !== true) for (const path of [pidFile, ...alsoRemove]) rmSync(path, { force: true });
}

/** Null when the file does not exist, or its process ended while it was read. */
function contentOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
