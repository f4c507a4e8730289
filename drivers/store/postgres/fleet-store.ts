/** The fleet store on PostgreSQL, or on a database that speaks its protocol and this dialect. */
import type { FleetStore } from '../../../runtime/core/store/fleet.ts';
import { openDatabase, type PostgresOptions } from './database.ts';
import { fleetMigrations } from './fleet-migrations.ts';
import { fleetTransaction } from './fleet-transaction.ts';
import { ensureSchema } from './migration.ts';

/**
 * Connects, refuses a server that would lose what it acknowledges, and migrates the schema.
 * @throws Fault STORE_UNAVAILABLE, STORE_UNSAFE, STORE_SCHEMA
 */
export async function openPostgresFleetStore(
  options: PostgresOptions,
): Promise<FleetStore & AsyncDisposable> {
  const own = {
    ...options,
    applicationName: 'holdfast backend',
    unavailableCode: 'STORE_UNAVAILABLE',
  } as const;
  const database = await openDatabase(own);
  try {
    await ensureSchema(database, own, fleetMigrations);
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    transaction: (work) => database.transaction((session) => work(fleetTransaction(session))),
    close: () => database.close(),
    [Symbol.asyncDispose]: () => database.close(),
  };
}
