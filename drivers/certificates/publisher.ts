/** Publishes files in a directory: written beside, synced, and then put in place by one rename. */
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import type { Publisher } from '../../runtime/core/ports.ts';

/** Whoever serves the directory reads them. */
const MODE = 0o644;

export function openPublisher(directory: string): Publisher {
  return {
    publish: async (name, content) => {
      const path = join(directory, name);
      try {
        await written(`${path}.new`, content);
        await rename(`${path}.new`, path);
        await synced(directory);
      } catch (error) {
        const { code = 'unknown' } = error as NodeJS.ErrnoException;
        throw new Fault('CRL_NOT_PUBLISHED', { file: path, error: code }, { cause: error });
      }
    },
  };
}

async function written(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'w', MODE);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The rename itself lies in the directory. */
async function synced(directory: string): Promise<void> {
  const file = await open(directory, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
