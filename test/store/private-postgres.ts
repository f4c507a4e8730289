/** A private PostgreSQL for one test file, and the options to reach it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresOptions } from '../../drivers/store/postgres/database.ts';
import { type PostgresStand, startPostgres } from '../../scripts/stand/postgres.ts';

export interface PrivatePostgres extends AsyncDisposable {
  readonly directory: string;
  /** As the owner, or as another role. */
  options(database: string, user?: string): PostgresOptions;
  /** Ends the server at once, as a crash would. */
  crash(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
}

export async function privatePostgres(
  databases: readonly string[],
  roles: readonly string[] = [],
): Promise<PrivatePostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'hf-'));
  let stand: PostgresStand = await startPostgres({ directory, databases, roles });
  return {
    directory,
    options: (database, user = stand.user) => optionsFor(stand.socketDirectory, user, database),
    crash: () => stand.crash(),
    start: async () => {
      stand = await startPostgres({ directory, databases });
    },
    [Symbol.asyncDispose]: async () => {
      await stand.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function optionsFor(host: string, user: string, database: string): PostgresOptions {
  return {
    url: `postgresql:///${database}?host=${encodeURIComponent(host)}&user=${user}`,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    poolMax: 4,
  };
}
