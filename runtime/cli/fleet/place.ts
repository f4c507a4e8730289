/** Which fleet database is meant: the option, the environment, or the backend's own configuration in a line. */
import { Fault, isFault } from '../../core/faults.ts';
import { type Arguments, type Option, textOf, usage } from '../command.ts';
import type { FleetReader, Means } from '../means.ts';

/** The line that `./scripts/line` runs. */
export const DEFAULT_LINE = 'var/line';

export const databaseOptions = {
  dir: {
    type: 'string',
    value: 'LINE',
    help: `directory of a line; its backend.json names the database (default ${DEFAULT_LINE})`,
  },
  database: {
    type: 'string',
    value: 'URL',
    help: 'PostgreSQL URL of the fleet database; without a password: that is for DATABASE_URL',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID, STORE_UNAVAILABLE, STORE_UNSAFE, STORE_SCHEMA; none of
 * them shows the URL: it may hold a password */
export async function openFleetOf(given: Arguments, means: Means): Promise<FleetReader> {
  const url = databaseUrlOf(given, means);
  try {
    return await means.openFleet(url);
  } catch (error) {
    if (typedUrl(given, means) !== null || !isFault(error) || error.code !== 'STORE_UNAVAILABLE') throw error;
    // A laboratory's database lives as long as its line runs, which is worth a hint.
    const line = textOf(given, 'dir') ?? DEFAULT_LINE;
    const hint = `a laboratory's database runs with its line; ./scripts/inspect --dir ${line} starts it`;
    throw new Fault('STORE_UNAVAILABLE', { ...error.context, hint }, { cause: error });
  }
}

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID */
export function databaseUrlOf(given: Arguments, means: Means): string {
  const typed = typedUrl(given, means);
  if (typed === null) return lineUrl(textOf(given, 'dir'), means);
  if (!/^postgres(?:ql)?:\/\//.test(typed))
    throw usage('the database is named by a URL that begins with postgresql://');
  return typed;
}

function typedUrl(given: Arguments, means: Means): string | null {
  return textOf(given, 'database') ?? means.databaseUrl;
}

function lineUrl(given: string | null, means: Means): string {
  const line = given ?? DEFAULT_LINE;
  const file = `${line}/backend/backend.json`;
  if (given === null && !means.files.exists(file))
    throw usage('say which database: --dir LINE, --database URL, or DATABASE_URL in the environment');
  const url = urlIn(means.files.read(file));
  if (url === null) throw new Fault('CONFIG_INVALID', { file, why: 'databaseUrl is missing' });
  return url;
}

function urlIn(text: string): string | null {
  try {
    const { databaseUrl } = JSON.parse(text) as { databaseUrl?: unknown };
    return typeof databaseUrl === 'string' ? databaseUrl : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null; // The caller names the file.
    throw error;
  }
}
