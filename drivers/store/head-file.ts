/**
 * The largest head of the fleet log that anybody was told of, in a file beside the backend: a database that was
 * restored from a backup, or exchanged, holds fewer leaves and is found out by it.
 *
 * A new head takes the place of the old one by a rename, and is on the disk, name and bytes, before it counts.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { Fault } from '../../runtime/core/faults.ts';
import type { HeadMemory, ToldHead } from '../../runtime/core/store/head.ts';

const stored = z.strictObject({ size: z.int().min(0), root: z.string().regex(/^[0-9a-f]{64}$/) });
const MODE = 0o600;

/** A file that is missing is made, and stands for a log that is empty. @throws Fault FILE_UNREADABLE */
export async function openHeadFile(path: string): Promise<HeadMemory> {
  let told = await read(path);
  return {
    get told() {
      return told;
    },
    remember: async (head) => {
      if (told !== null && head.size <= told.size) return;
      await replace(path, head);
      told = head;
    },
  };
}

async function read(path: string): Promise<ToldHead | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Fault('FILE_UNREADABLE', { path }, { cause: error });
  }
  try {
    const { size, root } = stored.parse(JSON.parse(text));
    return { size, root: fromHex(root) };
  } catch (error) {
    throw new Fault('FILE_UNREADABLE', { path, reason: 'not the head of a log' }, { cause: error });
  }
}

/** @throws Fault FILE_UNREADABLE when the disk does not take it */
async function replace(path: string, { size, root }: ToldHead): Promise<void> {
  const next = `${path}.new`;
  try {
    const file = await open(next, 'w', MODE);
    try {
      await file.writeFile(`${JSON.stringify({ size, root: toHex(root) })}\n`);
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
