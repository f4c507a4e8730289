import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { openPostgresLedger } from '../../drivers/store/postgres/ledger.ts';
import { fleetStoreContract } from '../contracts/fleet-store.contract.ts';
import { ledgerContract } from '../contracts/ledger.contract.ts';
import { privatePostgres } from './private-postgres.ts';

fleetStoreContract('PostgreSQL', async () => {
  const server = await privatePostgres(['fleet']);
  const options = server.options('fleet');
  // Both at the same time: the migrations of an empty database are made once.
  const [store, other] = await Promise.all([
    openPostgresFleetStore(options),
    openPostgresFleetStore(options),
  ]);
  return {
    store,
    other,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([store.close(), other.close()]);
      await server[Symbol.asyncDispose]();
    },
  };
});

ledgerContract('PostgreSQL', async () => {
  const server = await privatePostgres(['ledger']);
  const options = server.options('ledger');
  const [ledger, other] = await Promise.all([openPostgresLedger(options), openPostgresLedger(options)]);
  return {
    ledger,
    other,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([ledger.close(), other.close()]);
      await server[Symbol.asyncDispose]();
    },
  };
});
