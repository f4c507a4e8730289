/** The fleet store on PostgreSQL, or on a database that speaks its protocol and this dialect. */
import type { FleetStore } from '../../../runtime/core/store/fleet.ts';
import { openDatabase, type PostgresOptions } from './database.ts';
import { fleetMigrations } from './fleet-migrations.ts';
import { asSchemaFault, demandRestricted } from './fleet-role.ts';
import { fleetTransaction } from './fleet-transaction.ts';
import { ensureSchema } from './migration.ts';

export interface FleetStoreOptions extends PostgresOptions {
  /** `restricted`: refuses a role that may change what is only ever inserted. */
  readonly role?: 'restricted';
}

/**
 * Connects, refuses a server that would lose what it acknowledges, and migrates the schema.
 * @throws Fault STORE_UNAVAILABLE, STORE_UNSAFE, STORE_SCHEMA
 */
export async function openPostgresFleetStore(
  options: FleetStoreOptions,
): Promise<FleetStore & AsyncDisposable> {
  const own = {
    ...options,
    applicationName: 'holdfast backend',
    unavailableCode: 'STORE_UNAVAILABLE',
  } as const;
  const database = await openDatabase(own);
  try {
    await ensureSchema(database, own, fleetMigrations);
    if (options.role === 'restricted') await demandRestricted(database);
  } catch (error) {
    await database.close();
    throw asSchemaFault(error);
  }
  return {
    transaction: (work) => database.transaction((session) => work(fleetTransaction(session))),
    close: () => database.close(),
    [Symbol.asyncDispose]: () => database.close(),
  };
}
