/**
 * The chips of one host as files: `<eid>.json` each, readable by their owner alone, for they hold keys. A
 * file is replaced whole; a burst of changes is written once.
 */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChipState, usualProfile } from './chip.ts';

export interface ChipStore {
  /** Null when no chip with this EID was ever written. */
  load(eid: string): Promise<ChipState | null>;
  /** Notes that this chip may have changed; it is written soon. */
  touch(state: ChipState): void;
  /** Resolves when everything touched before is written. Rejects with the first failure to write. */
  flush(): Promise<void>;
}

export interface ChipStoreOptions {
  readonly directory: string;
  /** How long changes are gathered. */
  readonly gatherMs?: number;
}

const GATHER_MS = 100;

export async function openChipStore(options: ChipStoreOptions): Promise<ChipStore> {
  const { directory } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const touched = new Set<ChipState>();
  const written = new Map<string, string>();
  let timer: NodeJS.Timeout | null = null;
  let failure: unknown = null;
  let writing: Promise<void> = Promise.resolve();

  const write = async (state: ChipState): Promise<void> => {
    const text = JSON.stringify(state, null, 1);
    if (written.get(state.eid) === text) return;
    const path = join(directory, `${state.eid}.json`);
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
    written.clear(); // One chip at a time is seated; more than the last text is not worth its memory.
    written.set(state.eid, text);
  };
  const writeAll = (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const states = [...touched];
    touched.clear();
    writing = writing
      .then(async () => {
        for (const state of states) await write(state);
      })
      .catch((error) => {
        failure ??= error;
      });
    return writing;
  };
  return {
    load: async (eid) => {
      try {
        const state = JSON.parse(await readFile(join(directory, `${eid}.json`), 'utf8')) as ChipState;
        // A chip that was written by an earlier version has a profile with fewer entries.
        return { ...state, profile: { ...usualProfile, ...state.profile } };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    touch: (state) => {
      touched.add(state);
      timer ??= setTimeout(() => void writeAll(), options.gatherMs ?? GATHER_MS);
    },
    flush: async () => {
      await writeAll();
      if (failure !== null) throw failure;
    },
  };
}
