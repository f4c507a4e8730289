import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { type Fate, type Fates, type Misfortune, seededFates } from '../../drivers/store/in-memory-fate.ts';
import { createInMemoryLedgerDatabase } from '../../drivers/store/in-memory-ledger.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import { fleetStoreContract } from '../contracts/fleet-store.contract.ts';
import { ledgerContract } from '../contracts/ledger.contract.ts';
import { operation, takeOne } from './fleet-rows.ts';

fleetStoreContract('in memory', async () => {
  const database = createInMemoryFleetDatabase({ clock: openSystemClock() });
  return {
    store: database.connect(),
    other: database.connect(),
    [Symbol.asyncDispose]: async () => undefined,
  };
});

ledgerContract('in memory', async () => {
  const database = createInMemoryLedgerDatabase({ clock: openSystemClock() });
  return {
    ledger: database.connect(),
    other: database.connect(),
    [Symbol.asyncDispose]: async () => undefined,
  };
});

fleetStoreContract('in memory, asked again and again', async () => {
  const fates = seededFates(createSimulatedEntropy('again'), {
    repeat: 30,
    fail: 0,
    loseAnswer: 0,
    delayMsMax: 1,
  });
  const database = createInMemoryFleetDatabase({ clock: openSystemClock(), fates });
  return {
    store: database.connect(),
    other: database.connect(),
    [Symbol.asyncDispose]: async () => undefined,
  };
});

describe('misfortunes of the simulated fleet store', () => {
  it('runs the work again when the database asks for it, and stores it once', async () => {
    const { store } = fated('repeat', 'repeat');
    let runs = 0;
    const row = operation();
    await store.transaction(async (tx) => {
      runs++;
      assert.equal(await tx.operationByEid(row.eid), null);
      await tx.insertOperation(row);
    });
    assert.equal(runs, 3);
  });

  it('gives up in the end', async () => {
    const { store } = fated(...Array<Misfortune>(20).fill('repeat'));
    await assert.rejects(
      store.transaction((tx) => tx.insertOperation(operation())),
      outcome('absent'),
    );
  });

  it('stores a transaction whose answer is lost, so that the repetition finds it', async () => {
    const { store } = fated('lose-answer');
    const row = operation();
    const reserve = () =>
      store.transaction(async (tx) => {
        const present = await tx.operationByEid(row.eid);
        if (present === null) await tx.insertOperation(row);
        return present;
      });
    await assert.rejects(reserve(), outcome('unknown'));
    assert.deepEqual(await reserve(), row);
  });

  it('stores nothing of a transaction whose connection dies', async () => {
    const { store } = fated('fail');
    const row = operation();
    await assert.rejects(
      store.transaction((tx) => tx.insertOperation(row)),
      outcome('absent'),
    );
    assert.equal(await store.transaction((tx) => tx.operationByEid(row.eid)), null);
  });

  it('keeps the verdict of the database when the work hides its error', async () => {
    const { store } = fated('repeat');
    let runs = 0;
    const result = await store.transaction(async (tx) => {
      runs++;
      const outcome = await Promise.allSettled([tx.readHead()]);
      return outcome[0].status;
    });
    assert.deepEqual([result, runs], ['fulfilled', 2]);
  });

  it('fails while it is out of reach and keeps what was committed', async () => {
    const { store, database } = fated();
    const row = operation();
    await store.transaction((tx) => tx.insertOperation(row));
    database.setReachable(false);
    await assert.rejects(
      store.transaction((tx) => tx.readHead()),
      outcome('absent'),
    );
    database.setReachable(true);
    assert.deepEqual(await store.transaction((tx) => tx.operationByEid(row.eid)), row);
  });

  it('forgets what a dead backend had not committed, and serves the others', async () => {
    const { database } = fated();
    const dying = database.connect();
    const living = database.connect();
    const row = operation();
    let heard = false;
    const hear = () => {
      heard = true;
    };
    const half = dying.transaction(async (tx) => {
      await tx.insertOperation(row);
      await new Promise(() => undefined);
    });
    half.then(hear, hear);
    const reading = living.transaction((tx) => tx.operationByEid(row.eid));
    dying.abandon();
    assert.equal(await reading, null);
    assert.equal(heard, false);
  });

  it('ends a transaction that hangs', async () => {
    const clock = createSimulatedClock(0);
    const store = createInMemoryFleetDatabase({ clock }).connect();
    const hanging = assert.rejects(
      store.transaction(() => new Promise(() => undefined)),
      outcome('absent'),
    );
    await clock.runNext();
    await hanging;
    await store.transaction((tx) => tx.readHead());
  });

  it('does the same for the same seed', async () => {
    const run = async (): Promise<readonly string[]> => {
      const clock = createSimulatedClock(0);
      const odds = { repeat: 20, fail: 20, loseAnswer: 20, delayMsMax: 9 };
      const fates = seededFates(createSimulatedEntropy('a night'), odds);
      const store = createInMemoryFleetDatabase({ clock, fates }).connect();
      const seen: string[] = [];
      let open = 40;
      for (let i = 0; i < 40; i++) {
        store
          .transaction((tx) => takeOne(tx, 't', 30))
          .then(
            (taken) => seen.push(`${i} ${taken} ${clock.monotonicMs()}`),
            (error) => seen.push(`${i} ${isFault(error) && error.context.outcome} ${clock.monotonicMs()}`),
          )
          .finally(() => open--);
      }
      while (open > 0) assert.ok(await clock.runNext());
      return seen;
    };
    const [one, two] = [await run(), await run()];
    assert.deepEqual(one, two);
    assert.ok(one.some((line) => line.includes('unknown')) && one.some((line) => line.includes('true')));
  });
});

function fated(...misfortunes: readonly Misfortune[]) {
  const left = [...misfortunes];
  const fates: Fates = (): Fate => ({ misfortune: left.shift() ?? 'none', afterVerbs: 1, delayMs: 0 });
  const database = createInMemoryFleetDatabase({ clock: openSystemClock(), fates });
  const store: FleetStore = database.connect();
  return { store, database };
}

function outcome(expected: string): (error: unknown) => boolean {
  return (error) =>
    isFault(error) && error.code === 'STORE_UNAVAILABLE' && error.context.outcome === expected;
}
