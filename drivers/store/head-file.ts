/**
 * The largest head of the fleet log that anybody was told of, in a file beside the backend: a database that was
 * restored from a backup, or exchanged, holds fewer leaves and is found out by it.
 */
import { z } from 'zod';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { type HeadMemory, headText, type ToldHead } from '../../runtime/core/store/head.ts';
import { readKept, replaceKept } from './kept-file.ts';

const stored = z.strictObject({ size: z.int().min(0), root: z.string().regex(/^[0-9a-f]{64}$/) });

/** A file that is missing is made with the first head. @throws Fault FILE_UNREADABLE */
export async function openHeadFile(path: string): Promise<HeadMemory> {
  let told = await readKept(path, decoded, 'the head of a log');
  return {
    get told() {
      return told;
    },
    remember: async (head) => {
      if (told !== null && head.size <= told.size) return;
      const { size, root } = head;
      await replaceKept(path, headText({ size, root: toHex(root) }));
      told = head;
    },
  };
}

function decoded(text: string): ToldHead {
  const { size, root } = stored.parse(JSON.parse(text));
  return { size, root: fromHex(root) };
}
