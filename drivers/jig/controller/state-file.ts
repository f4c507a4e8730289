/** The controller's memory in a file: replaced as a whole, and past fsync when `save` resolves. */
import { closeSync, fsync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { lanes } from '../../../runtime/core/gate/release.ts';
import { BLANK_MEMORY, type ControllerMemory } from './gate-controller.ts';
import type { MemoryStore } from './machine.ts';

export function openStateFile(path: string): MemoryStore {
  return {
    load: () => read(path),
    save: (memory) => replace(path, `${JSON.stringify(memory)}\n`),
  };
}

/** A memory that lives as long as its process; for tests and simulation. */
export function createVolatileMemory(memory: ControllerMemory = BLANK_MEMORY): MemoryStore {
  let kept = memory;
  return {
    load: () => kept,
    save: (next) => {
      kept = next;
    },
  };
}

/** Only the waiting for the disk leaves the thread: the board answers its host meanwhile. */
const sync = promisify(fsync);

async function replace(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  const file = openSync(fresh, 'w', 0o600);
  try {
    writeSync(file, text);
    await sync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  const directory = openSync(dirname(path), 'r');
  try {
    await sync(directory);
  } finally {
    closeSync(directory);
  }
}

/** @throws Error when the file is there and is not a memory: a controller must not forget what it obeyed. */
function read(path: string): ControllerMemory {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return BLANK_MEMORY;
    throw error;
  }
  const { boots, obeyed, left } = JSON.parse(text) as ControllerMemory;
  const whole = [boots, obeyed, left.arrival, left.counter].every(Number.isSafeInteger);
  if (!whole || !lanes.includes(left.lane)) throw new Error(`not the memory of a gate controller: ${path}`);
  return { boots, obeyed, left };
}
