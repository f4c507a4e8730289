/** What every fleet store keeps of orders. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { FleetStore, FleetTransaction } from '../../runtime/core/store/fleet.ts';
import type { Taking } from '../../runtime/core/store/orders.ts';
import { anyRate, operation, record, takeOne, unique } from './fleet-rows.ts';

const take = (
  tx: FleetTransaction,
  ticket: string,
  rate: typeof anyRate | object,
  quota = 100,
): Promise<Taking> =>
  tx.takeUnit(
    { ticket, operation: unique('op'), eid: unique('eid') },
    { quota, rate: { ...anyRate, ...rate } },
  );

export function ordersAreKept(store: () => FleetStore, other: () => FleetStore): void {
  const both = (i: number): FleetStore => (i % 2 === 0 ? store() : other());

  it('books units in the bucket of their ticket: as many at once as it is deep, then one for each takt', async () => {
    const ticket = unique('ticket');
    const rate = { unitUs: 1000, depthUs: 2000 };
    const at = (nowUs: number) => store().transaction((tx) => take(tx, ticket, { ...rate, nowUs }));
    const answers = [await at(5000), await at(5000), await at(5000), await at(5000)];
    assert.deepEqual(
      answers.map(({ taken }) => taken),
      [true, true, true, false],
    );
    assert.deepEqual(answers[3], { taken: false, why: 'rate', fullUs: 8000 });
    assert.equal((await at(5999)).taken, false);
    assert.equal((await at(6000)).taken, true);
    assert.equal((await store().transaction((tx) => tx.ticket(ticket)))?.taken, 4);
  });

  it('books no more at the same time than one after the other', async () => {
    const ticket = unique('ticket');
    const rate = { unitUs: 1000, depthUs: 4000 };
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => both(i).transaction((tx) => take(tx, ticket, rate))),
    );
    assert.equal(answers.filter(({ taken }) => taken).length, 5);
  });

  it('takes no unit of a closed ticket, and closes a ticket once', async () => {
    const ticket = unique('ticket');
    await store().transaction((tx) => takeOne(tx, ticket, 5));
    const at = '2026-11-22T10:00:00.000Z';
    assert.equal(await store().transaction((tx) => tx.closeTicket(ticket, at)), true);
    assert.equal(await other().transaction((tx) => tx.closeTicket(ticket, 'later')), false);
    assert.equal(await store().transaction((tx) => tx.closeTicket(unique('ticket'), at)), false);
    const row = { ticket, taken: 1, closedAt: at };
    const { fullUs: _, ...stored } = (await other().transaction((tx) => tx.ticket(ticket))) ?? { fullUs: 0 };
    assert.deepEqual(stored, row);
    assert.deepEqual(await other().transaction((tx) => take(tx, ticket, {})), {
      taken: false,
      why: 'closed',
    });
  });

  it('lists the units of a ticket, how far each came, a page at a time', async () => {
    const ticket = unique('ticket');
    const [plain, made, gone] = [operation(), operation(), operation()];
    await store().transaction(async (tx) => {
      for (const row of [plain, made, gone]) {
        await tx.insertOperation({ ...row, ticket });
        await tx.takeUnit({ ...row, ticket }, { quota: 9, rate: anyRate });
      }
      await tx.insertRecords([record(1, made)]);
      const confirmation = { operation: made.operation, jws: 'j', sha256: 'h', leafIndex: 1 };
      await tx.insertConfirmations([1, 3].map((epoch) => ({ ...confirmation, epoch })));
      await tx.updateOperation({ ...made, ticket: 'another', state: 'released' });
      await tx.disownOperation(gone.operation);
    });
    const unit = ({ operation: name, eid }: typeof plain) => ({ operation: name, eid });
    const none = { recorded: false, confirmedEpoch: 0, ticket };
    const expected = [
      { ...unit(plain), ...none, state: 'reserved' },
      { ...unit(made), state: 'released', ticket: 'another', recorded: true, confirmedEpoch: 3 },
      { ...unit(gone), ...none, state: 'disowned' },
    ];
    const page = (after: string) => store().transaction((tx) => tx.ticketUnits(ticket, after, 2));
    assert.deepEqual(await page(''), expected.slice(0, 2));
    assert.deepEqual(await page(made.operation), expected.slice(2));
    const has = (one: string) => store().transaction((tx) => tx.hasUnit(ticket, one));
    assert.deepEqual([await has(made.operation), await has(unique('op'))], [true, false]);
  });

  it('keeps who is in a nest, and which station is revoked', async () => {
    const row = { controller: unique('gate'), nest: 'a', arrival: 3, operation: 'one' };
    await store().transaction((tx) => tx.putNest(row));
    await store().transaction((tx) => tx.putNest({ ...row, arrival: 4, operation: 'two' }));
    const nest = (name: string) => other().transaction((tx) => tx.nest(row.controller, name));
    assert.deepEqual(await nest('a'), { ...row, arrival: 4, operation: 'two' });
    assert.equal(await nest('b'), null);
    const revoked = {
      station: unique('station'),
      number: Number(unique('').slice(-6)),
      since: 'then',
      reason: 'stolen',
    };
    assert.equal(await store().transaction((tx) => tx.revokedStation(revoked.station)), null);
    await store().transaction((tx) => tx.insertRevokedStation(revoked));
    assert.deepEqual(await other().transaction((tx) => tx.revokedStation(revoked.station)), revoked);
  });
}
