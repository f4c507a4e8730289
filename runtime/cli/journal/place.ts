/** Where a journal lies, and the socket at which its station answers while it runs. */
import { Fault } from '../../core/faults.ts';
import type { Files } from '../means.ts';

export interface JournalPlace {
  readonly directory: string;
  /** Null where no station.json that names one is found. */
  readonly socket: string | null;
}

/** File that every journal's directory has from its set-up on. */
const GENESIS = 'genesis';
const CONFIG = 'station.json';

/** @param directory a journal's, or its station's. @throws Fault JOURNAL_MISSING */
export function findJournal(directory: string, files: Files): JournalPlace {
  const journal = [directory, `${directory}/journal`].find((path) => files.exists(`${path}/${GENESIS}`));
  const beside = journal === undefined ? [directory] : [files.parent(journal), directory];
  const config = beside
    .map((path) => `${path}/${CONFIG}`)
    .filter((path) => files.exists(path))
    .map((path) => settingsIn(path, files))[0];
  const found = journal ?? config?.directory ?? null;
  if (found !== null && files.exists(`${found}/${GENESIS}`))
    return { directory: found, socket: config?.socket ?? null };
  const stations = stationsIn(directory, files);
  throw new Fault('JOURNAL_MISSING', {
    directory,
    ...(stations.length === 0 ? {} : { hint: `stations are in it: ${stations.join(', ')}` }),
  });
}

/** Names of the directories of stations in the directory of a line. */
export function stationsIn(line: string, files: Files): readonly string[] {
  return files
    .names(line)
    .filter(
      (name) =>
        files.exists(`${line}/${name}/${CONFIG}`) || files.exists(`${line}/${name}/journal/${GENESIS}`),
    );
}

/** What station.json says of the journal; nothing where it cannot be used: a wrong setting elsewhere in it
 * must not keep a technician from the journal. */
function settingsIn(
  path: string,
  files: Files,
): { readonly directory: string | null; readonly socket: string | null } {
  const { journal } = jsonIn(path, files) as { journal?: { directory?: unknown; socket?: unknown } };
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return { directory: text(journal?.directory), socket: text(journal?.socket) };
}

/** An object; an empty one where the file holds none. */
function jsonIn(path: string, files: Files): object {
  try {
    const value: unknown = JSON.parse(files.read(path));
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {}; // Then there is no socket to be known of.
    throw error;
  }
}
