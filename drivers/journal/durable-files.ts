/** Files and directories that are on the disk when the call returns. */
import { closeSync, fsyncSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function writeSynced(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o640, flush: true });
}

/** The directory's entries, not what they name. */
export function syncDirectory(directory: string): void {
  syncPath(directory);
}

/** What is in the file, and its length. */
export function syncFile(file: string): void {
  syncPath(file);
}

/** Every file of a flat directory, then the directory. */
export function syncFiles(directory: string): void {
  for (const name of readdirSync(directory)) syncPath(join(directory, name));
  syncPath(directory);
}

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
