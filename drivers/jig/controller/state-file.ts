/** The controller's memory in a file: replaced as a whole, and durable before `save` returns. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { lanes } from '../../../runtime/core/gate/release.ts';
import type { MemoryStore } from './fixture.ts';
import { BLANK_MEMORY, type ControllerMemory } from './gate-controller.ts';

export function openStateFile(path: string): MemoryStore {
  return {
    load: () => read(path),
    save: (memory) => {
      const fresh = `${path}.new`;
      const file = openSync(fresh, 'w', 0o600);
      try {
        writeSync(file, `${JSON.stringify(memory)}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(fresh, path);
      syncDirectory(dirname(path));
    },
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

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
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
