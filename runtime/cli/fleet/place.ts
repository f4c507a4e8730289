/** Which fleet database is meant: the option, the environment, or the backend's own configuration in a line. */
import { Fault } from '../../core/faults.ts';
import { type Arguments, type Option, textOf, usage } from '../command.ts';
import type { Means } from '../means.ts';

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

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID; none of them shows the URL: it may hold a password */
export function databaseUrlOf(given: Arguments, means: Means): string {
  const typed = textOf(given, 'database') ?? means.databaseUrl;
  if (typed !== null && !/^postgres(?:ql)?:\/\//.test(typed))
    throw usage('the database is named by a URL that begins with postgresql://');
  if (typed !== null) return typed;
  const line = textOf(given, 'dir');
  const file = `${line ?? DEFAULT_LINE}/backend/backend.json`;
  if (line === null && !means.files.exists(file))
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
