/** The highest mark of the ledger that a gateway has worked under, in a file beside that gateway. */
import { z } from 'zod';
import type { MarkMemory } from '../../runtime/core/store/mark.ts';
import { readKept, replaceKept } from './kept-file.ts';

const stored = z.strictObject({ mark: z.int().min(0) });

/** A file that is missing is made, and stands for a gateway that has done nothing yet. @throws Fault FILE_UNREADABLE */
export async function openMarkFile(path: string): Promise<MarkMemory> {
  const decode = (text: string): number => stored.parse(JSON.parse(text)).mark;
  let told = (await readKept(path, decode, 'the mark of a ledger')) ?? 0;
  return {
    get told() {
      return told;
    },
    remember: async (mark) => {
      if (mark <= told) return;
      await replaceKept(path, `${JSON.stringify({ mark })}\n`);
      told = mark;
    },
  };
}
