/** The files of a ceremony on a disk. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Shelf } from '../../runtime/core/ceremony/shelf.ts';
import { Fault } from '../../runtime/core/faults.ts';

const MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export function openDirectoryShelf(): Shelf {
  return {
    read: async (path) => {
      try {
        return await readFile(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw new Fault('FILE_UNREADABLE', { path }, { cause: error });
      }
    },
    write: async (path, bytes) => {
      try {
        await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
        const next = `${path}.new`;
        const file = await open(next, 'w', MODE);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(next, path);
        await syncDirectory(dirname(path));
      } catch (error) {
        throw new Fault('FILE_UNREADABLE', { path }, { cause: error });
      }
    },
  };
}

/** Until then the old name may come back after a power cut. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
