/** Small files of text that are past fsync when a call returns. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Fault } from '../runtime/core/faults.ts';

const OWNER_ALONE = 0o600;

/** @throws Fault FILE_UNREADABLE */
export function appendLine(path: string, line: string): void {
  written(path, 'a', `${line}\n`);
}

/** The former file stays until the new one is whole. @throws Fault FILE_UNREADABLE */
export function replaceFile(path: string, text: string): void {
  const fresh = `${path}.new`;
  written(fresh, 'w', text);
  try {
    renameSync(fresh, path);
  } catch (cause) {
    throw new Fault('FILE_UNREADABLE', { file: path }, { cause });
  }
  syncDirectory(dirname(path));
}

function written(path: string, flags: 'a' | 'w', text: string): void {
  try {
    const file = openSync(path, flags, OWNER_ALONE);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new Fault('FILE_UNREADABLE', { file: path }, { cause });
  }
  if (flags === 'a') syncDirectory(dirname(path));
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
