import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { seededFates } from '../../drivers/store/in-memory-fate.ts';
import { createInMemoryLedgerDatabase } from '../../drivers/store/in-memory-ledger.ts';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { openPostgresLedger } from '../../drivers/store/postgres/ledger.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import { type PrivatePostgres, privatePostgres } from '../store/private-postgres.ts';
import { backendOn, gatewayOn, givenOf, QUOTA, rush, UNITS } from './quota.ts';

/** After so many answers a program dies, in the middle of what the others ask. */
const DEATHS = [5, 20, 30, 45, 60];

const clock = openSystemClock();
/** Transactions take their time, and are lost, repeated, or done without a word. */
const fates = (seed: string) =>
  seededFates(createSimulatedEntropy(seed), { repeat: 10, fail: 10, loseAnswer: 10, delayMsMax: 5 });

async function assertWhole(store: FleetStore): Promise<void> {
  const units = await store.transaction((tx) => tx.ticketUnits('SIM-1', '', UNITS));
  const row = await store.transaction((tx) => tx.ticket('SIM-1'));
  assert.equal(row?.taken, QUOTA);
  assert.equal(new Set(units.map(({ eid }) => eid)).size, QUOTA);
  assert.ok(units.every(({ state }) => state === 'reserved'));
}

describe('a quota asked for by a hundred units at once, in memory', () => {
  it('is given by backends to exactly as many, while they die and come again', async () => {
    const database = createInMemoryFleetDatabase({ clock, fates: fates('backends') });
    const answers = await rush(() => {
      const store = database.connect();
      return backendOn(store, async () => store.abandon());
    }, DEATHS);
    assert.equal(givenOf(answers), QUOTA);
    assert.equal(database.tables.tickets.find('ticket_quota_ticket', 'SIM-1')?.taken, QUOTA);
    assert.equal(database.tables.operations.all().length, QUOTA);
  });

  it('is given by gateways to exactly as many, while they die and come again', async () => {
    const database = createInMemoryLedgerDatabase({ clock, fates: fates('gateways') });
    const answers = await rush(async () => {
      const ledger = database.connect();
      return gatewayOn(ledger, async () => ledger.abandon());
    }, DEATHS);
    assert.equal(givenOf(answers), QUOTA);
    assert.equal(database.tables.ticketUnits.all().length, QUOTA);
  });
});

describe('a quota asked for by a hundred units at once, on PostgreSQL', () => {
  let server: PrivatePostgres;
  before(async () => {
    server = await privatePostgres(['fleet', 'ledger']);
  });
  after(() => server[Symbol.asyncDispose]());

  it('is given by backends to exactly as many, while they and the server go down and come again', async () => {
    const open = () => openPostgresFleetStore(server.options('fleet'));
    const begin = async () => {
      const store = await open();
      return backendOn(store, () => store.close());
    };
    const answers = await rush(begin, [5, 25, 50], async (death) => {
      if (death !== 1) return;
      await server.crash();
      await server.start();
    });
    assert.equal(givenOf(answers), QUOTA);
    await using store = await open();
    await assertWhole(store);
  });

  it('is given by gateways to exactly as many, while they die and come again', async () => {
    const begin = async () => {
      const ledger = await openPostgresLedger(server.options('ledger'));
      return gatewayOn(ledger, () => ledger.close());
    };
    const answers = await rush(begin, DEATHS);
    assert.equal(givenOf(answers), QUOTA);
    await using ledger = await openPostgresLedger(server.options('ledger'));
    assert.equal((await ledger.ticketUnits('SIM-1', '', UNITS)).length, QUOTA);
  });
});
