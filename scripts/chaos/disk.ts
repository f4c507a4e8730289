/**
 * A small ext4 of its own for one directory: it can be filled, and it can turn read-only under its user as a
 * worn card does. Mounted in a private mount namespace, it goes with the run.
 *
 * @see ext4(5) on abort and errors, loop(4), e2fsck(8)
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export interface Disk {
  readonly directory: string;
  /** Leaves no block free. @returns how many bytes it took */
  fill(): number;
  empty(): void;
  /** From now on every write is refused, open files included. */
  turnReadOnly(): void;
  /** Checks and mounts it anew; nobody may use it meanwhile. */
  mend(): void;
  unmount(): void;
}

const BALLAST = '.ballast';
const BLOCK_BYTES = 4096;
const CHUNK = Buffer.alloc(1 << 20, 0xa5);
/** e2fsck: 0 clean, 1 mended. */
const MENDED_MAX = 1;

/** @throws Error where loop devices or mounts are not allowed */
export function openDisk(image: string, directory: string, megabytes: number): Disk {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  closeSync(openSync(image, 'w', 0o600));
  truncateSync(image, megabytes * (1 << 20));
  // No blocks are kept back for root, who is who fills it.
  run('mkfs.ext4', ['-q', '-F', '-m', '0', '-b', String(BLOCK_BYTES), image]);
  const mount = (): void => run('mount', ['-o', 'loop,errors=remount-ro', image, directory]);
  mount();
  rmdirSync(join(directory, 'lost+found'));
  const ballast = join(directory, BALLAST);
  return {
    directory,
    fill: () => fillTo(ballast, directory),
    empty: () => rmSync(ballast, { force: true }),
    turnReadOnly: () => run('mount', ['-o', 'remount,abort', directory]),
    mend: () => {
      run('umount', [directory]);
      check(image);
      mount();
      rmSync(ballast, { force: true });
    },
    unmount: () => run('umount', ['--lazy', directory]),
  };
}

/** Large pieces first, then single blocks, until not even one is free. */
function fillTo(ballast: string, directory: string): number {
  const file = openSync(ballast, 'a', 0o600);
  let taken = 0;
  try {
    for (const bytes of [CHUNK.length, BLOCK_BYTES])
      for (let left = 100_000; left > 0; left--) {
        const written = writeOrNothing(file, bytes);
        taken += written;
        if (written < bytes) break;
      }
  } finally {
    closeSync(file);
  }
  if (statfsSync(directory).bavail > 1) throw new Error(`${directory} could not be filled`);
  return taken;
}

function writeOrNothing(file: number, bytes: number): number {
  try {
    return writeSync(file, CHUNK, 0, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return 0;
    throw error;
  }
}

function check(image: string): void {
  try {
    run('e2fsck', ['-p', image]);
  } catch (error) {
    if ((error as { status?: number }).status !== MENDED_MAX) throw error;
  }
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PATH: TOOLS } });
}

/** Disk tools lie where the path of a user may not look. */
const TOOLS = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
