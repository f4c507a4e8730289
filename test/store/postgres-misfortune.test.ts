import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PostgresOptions } from '../../drivers/store/postgres/database.ts';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { openPostgresLedger } from '../../drivers/store/postgres/ledger.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { FleetStore, OperationRow } from '../../runtime/core/store/fleet.ts';
import { operation, unique } from './fleet-rows.ts';
import { optionsFor, type PrivatePostgres, privatePostgres } from './private-postgres.ts';
import { type SocketProxy, socketProxy } from './socket-proxy.ts';

const USER = 'holdfast';
let server: PrivatePostgres;
let proxy: SocketProxy;

before(async () => {
  server = await privatePostgres(['fleet', 'ledger']);
  proxy = await socketProxy(server.directory);
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const quick = (options: PostgresOptions): PostgresOptions => ({
  ...options,
  statementTimeoutMs: 300,
  connectTimeoutMs: 1_000,
});
const throughProxy = (database: string): PostgresOptions =>
  quick(optionsFor(proxy.directory, USER, database));

describe('a fleet store on PostgreSQL whose wire fails', () => {
  it('stores a transaction whose COMMIT was not answered, and its repetition finds it', async () => {
    await using store = await openPostgresFleetStore(throughProxy('fleet'));
    const row = operation();
    proxy.set('lose-commit');
    await assert.rejects(reserve(store, row), unavailable('unknown'));
    proxy.set('pass');
    assert.deepEqual(await reserve(store, row), row);
  });

  it('ends a wait on a half-open link, and works again on a new one', async () => {
    await using store = await openPostgresFleetStore(throughProxy('fleet'));
    const row = operation();
    const stalled = store.transaction(async (tx) => {
      await tx.insertOperation(row);
      proxy.set('stall');
      await tx.readHead();
    });
    await assert.rejects(stalled, unavailable('absent'));
    await assert.rejects(
      store.transaction((tx) => tx.readHead()),
      unavailable('absent'),
    );
    proxy.set('pass');
    assert.equal(await reserve(store, row), null);
  });

  it('does not take a COMMIT on a half-open link for done', async () => {
    await using store = await openPostgresFleetStore(throughProxy('fleet'));
    const stalled = store.transaction(async (tx) => {
      await tx.insertOperation(operation());
      proxy.set('stall');
    });
    await assert.rejects(stalled, unavailable('unknown'));
    proxy.set('pass');
  });

  it('answers a ledger call whose answer was lost when it is repeated', async () => {
    await using ledger = await openPostgresLedger(throughProxy('ledger'));
    const row = {
      dialogue: unique('d'),
      operation: unique('op'),
      epoch: 1,
      eid: unique('eid'),
      seFingerprint: 'fp',
      ticket: unique('t'),
      station: 's',
      instance: 'g',
      openedAt: 'now',
    };
    const limits = { quota: 1, attemptsMax: 1 };
    proxy.set('lose-commit');
    await assert.rejects(ledger.admit(row, limits), unavailable('unknown', 'LEDGER_UNAVAILABLE'));
    proxy.set('pass');
    assert.deepEqual(await ledger.admit(row, limits), { admitted: true, attempts: 1 });
  });
});

describe('a fleet store on PostgreSQL that is stopped at once', () => {
  it('loses nothing that was acknowledged, keeps nothing that was not, and recovers by itself', async () => {
    await using store = await openPostgresFleetStore(quick(server.options('fleet')));
    const acknowledged: OperationRow[] = [];
    const refused: string[] = [];
    const writing = Array.from({ length: 4 }, async () => {
      while (refused.length === 0) {
        const row = operation();
        try {
          await store.transaction((tx) => tx.insertOperation(row));
          acknowledged.push(row);
        } catch (error) {
          assert.ok(isFault(error) && error.code === 'STORE_UNAVAILABLE', String(error));
          refused.push(row.operation);
        }
      }
    });
    const half = store.transaction(async (tx) => {
      const row = operation();
      await tx.insertOperation(row);
      while (acknowledged.length < 20) await tx.readHead();
      await server.crash();
      await tx.readHead();
    });
    await assert.rejects(half, unavailable('absent'));
    await Promise.all(writing);
    await assert.rejects(
      store.transaction((tx) => tx.readHead()),
      unavailable('absent'),
    );

    await server.start();
    for (const row of acknowledged)
      assert.deepEqual(await store.transaction((tx) => tx.operationById(row.operation)), row);
    assert.equal(await reserve(store, operation()), null);
  });

  it('fails to open while the server is down, saying why', async () => {
    const options = quick(optionsFor('/nonexistent', USER, 'fleet'));
    await assert.rejects(openPostgresFleetStore(options), (error) => {
      assert.ok(unavailable('absent')(error) && isFault(error));
      assert.equal(error.context.why, 'ENOENT');
      return true;
    });
  });
});

describe('locks', () => {
  it('ends a wait for a lock that another transaction keeps', async () => {
    await using store = await openPostgresFleetStore(quick(server.options('fleet')));
    await using other = await openPostgresFleetStore(server.options('fleet'));
    await other.transaction(async (tx) => {
      await tx.lockHead();
      await assert.rejects(
        store.transaction((own) => own.lockHead()),
        unavailable('absent'),
      );
    });
    await store.transaction((tx) => tx.lockHead());
  });

  it('runs one of two transactions again that wait for each other', async () => {
    await using store = await openPostgresFleetStore(server.options('fleet'));
    const [one, two] = [unique('gate'), unique('gate')];
    let runs = 0;
    const raise = (names: readonly string[]) =>
      store.transaction(async (tx) => {
        runs++;
        for (const name of names) {
          const row = await tx.controller(name);
          await tx.updateController({ ...row, issued: row.issued + 1 });
          if (runs <= 2) await new Promise((resolve) => setTimeout(resolve, 20));
        }
      });
    await Promise.all([raise([one, two]), raise([two, one])]);
    const rows = await store.transaction(async (tx) => [await tx.controller(one), await tx.controller(two)]);
    assert.deepEqual(
      rows.map((row) => row.issued),
      [2, 2],
    );
    assert.ok(runs >= 3);
  });

  it('ends a transaction of a program that hangs, and lets the others have its rows', async () => {
    await using store = await openPostgresFleetStore(quick(server.options('fleet')));
    const hanging = store.transaction(async (tx) => {
      await tx.lockHead();
      await new Promise(() => undefined);
    });
    await assert.rejects(hanging, unavailable('absent'));
    await store.transaction((tx) => tx.lockHead());
  });
});

/** What a backend does: looks, then writes; returns what was there. */
function reserve(store: FleetStore, row: OperationRow): Promise<OperationRow | null> {
  return store.transaction(async (tx) => {
    const present = await tx.operationByEid(row.eid);
    if (present === null) await tx.insertOperation(row);
    return present;
  });
}

function unavailable(outcome: string, code = 'STORE_UNAVAILABLE'): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isFault(error), String(error));
    assert.deepEqual([error.code, error.context.outcome], [code, outcome], JSON.stringify(error.context));
    return true;
  };
}
