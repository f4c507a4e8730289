/**
 * A small file that a program remembers something in, apart from its database. What is new takes the place of the old by
 * a rename, and is on the disk, name and bytes, before it counts.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';

const MODE = 0o600;

/** Null where there is no such file. @throws Fault FILE_UNREADABLE */
export async function readKept<T>(
  path: string,
  decode: (text: string) => T,
  what: string,
): Promise<T | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Fault('FILE_UNREADABLE', { path }, { cause: error });
  }
  try {
    return decode(text);
  } catch (error) {
    throw new Fault('FILE_UNREADABLE', { path, reason: `not ${what}` }, { cause: error });
  }
}

/** One call after another. @throws Fault FILE_UNREADABLE when the disk does not take it */
export async function replaceKept(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  try {
    const file = await open(next, 'w', MODE);
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(next, path);
    const directory = await open(dirname(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    throw new Fault('FILE_UNREADABLE', { path, reason: 'cannot be written' }, { cause: error });
  }
}
