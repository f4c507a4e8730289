/** Two serial ports joined back to back, for a gate controller that runs as a program. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endWithParent, type Stand, startService } from './service.ts';

export interface PtyPair extends Stand {
  /** The station's end. */
  readonly stationPath: string;
  /** The board's end. */
  readonly boardPath: string;
}

/** @throws Error with the last lines of socat's log. */
export async function startPtyPair(options: { readonly directory: string }): Promise<PtyPair> {
  const { directory } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const stationPath = join(directory, 'station.pty');
  const boardPath = join(directory, 'board.pty');
  for (const path of [stationPath, boardPath]) rmSync(path, { force: true });
  const end = (path: string): string => `pty,raw,echo=0,link=${path}`;
  const service = await startService({
    name: 'socat',
    command: endWithParent('TERM', ['socat', '-d', '-d', end(stationPath), end(boardPath)]),
    logFile: join(directory, 'socat.log'),
    stopSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
    ready: (log) => log.includes('starting data transfer loop') && existsSync(stationPath),
  });
  return { ...service, stationPath, boardPath };
}
