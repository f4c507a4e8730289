/**
 * Room for the journal. A full disk can neither take an entry nor open the store, so no unit is begun below a floor,
 * and a file of zeros holds what the opening needs when the disk is full all the same.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import { syncDirectory } from './durable-files.ts';

/** Written zeros: a file that is only as long would hold no space. */
export const BALLAST_FILE = 'ballast';
const CHUNK = Buffer.alloc(1024 * 1024);

export interface Room {
  /** What must be free before a unit is begun: its own entries, what LevelDB writes beside them, and the copy
   * that is kept after an unclean stop. */
  readonly freeBytesMin: number;
  /** What is held in reserve for the opening; 0 for none. */
  readonly ballastBytes: number;
}

export const NO_FLOOR: Room = { freeBytesMin: 0, ballastBytes: 0 };

/** What this account may still write; blocks reserved for root do not count. statfs(2) */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/**
 * Before a unit: the floor is kept, and the reserve is whole or is made whole first.
 * @throws Fault JOURNAL_SPACE_LOW
 */
export function requireRoom(directory: string, room: Room): void {
  const missing = ballastIsWhole(directory, room) ? 0 : room.ballastBytes;
  const [free, needed] = [freeBytes(directory), room.freeBytesMin + missing];
  if (free < needed) throw low(directory, free, needed);
  if (missing > 0) writeBallast(directory, room.ballastBytes);
}

/** Below the floor the reserve is given up, for the opening alone. @returns whether it was */
export function makeRoom(directory: string, room: Room): boolean {
  if (freeBytes(directory) >= room.freeBytesMin || !existsSync(join(directory, BALLAST_FILE))) return false;
  rmSync(join(directory, BALLAST_FILE));
  syncDirectory(directory);
  return true;
}

/** On the disk when it returns. @throws Fault JOURNAL_SPACE_LOW, with nothing left behind */
export function writeBallast(directory: string, sizeBytes: number): void {
  if (sizeBytes === 0) return;
  const file = join(directory, BALLAST_FILE);
  try {
    const descriptor = openSync(file, 'w', 0o640);
    try {
      for (let at = 0; at < sizeBytes; )
        at += writeSync(descriptor, CHUNK, 0, Math.min(CHUNK.length, sizeBytes - at));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    syncDirectory(directory);
  } catch (error) {
    rmSync(file, { force: true });
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw low(directory, freeBytes(directory), sizeBytes, error);
  }
}

function ballastIsWhole(directory: string, { ballastBytes }: Room): boolean {
  const file = join(directory, BALLAST_FILE);
  return ballastBytes === 0 || (existsSync(file) && statSync(file).size >= ballastBytes);
}

function low(directory: string, free: number, needed: number, cause?: unknown): Fault {
  return new Fault('JOURNAL_SPACE_LOW', { directory, freeBytes: free, neededBytes: needed }, { cause });
}
