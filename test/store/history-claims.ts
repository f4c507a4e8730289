/** What every fleet store finds of units by the leaves about them. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json } from '../../runtime/core/canonical-json.ts';
import { type LeafKind, leafOf } from '../../runtime/core/log/leaf.ts';
import type { FleetStore, LeafRow } from '../../runtime/core/store/fleet.ts';
import { anyRate, operation, record, unique } from './fleet-rows.ts';

const ALWAYS = { from: null, to: null } as const;

export function historiesAreKept(store: () => FleetStore): void {
  livesAreFound(store);
  it('finds the leaves about a unit up to an instant, in their order', async () => {
    const eid = unique('eid');
    const rows = [1, 2, 3].map((hour) => leafAbout('confirmation', hour, { eid, station: 's' }));
    await store().transaction((tx) => tx.insertLeaves([...rows, leafAbout('refusal', 1, { eid })]));
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.leavesAbout(eid, rows[1] === undefined ? '' : at(2), 10), rows.slice(0, 2));
      assert.deepEqual(await tx.leavesAbout(eid, at(9), 2), rows.slice(0, 2));
      assert.deepEqual(await tx.leavesAbout(unique('eid'), at(9), 10), []);
    });
  });

  it('finds units by who had a part in them, from a time on and before another', async () => {
    const station = unique('station');
    const generation = 60_000;
    const rows = [1, 2, 3].map((hour) =>
      leafAbout('registration', hour, { eid: unique('eid'), operation: unique('op'), station, generation }),
    );
    const other = leafAbout('registration', 2, {
      eid: unique('eid'),
      operation: unique('op'),
      station: 'other',
    });
    await store().transaction((tx) => tx.insertLeaves([...rows, other]));
    await store().transaction(async (tx) => {
      const found = async (...asked: Parameters<typeof tx.tracesBy>) =>
        (await tx.tracesBy(...asked)).map(({ leafIndex }) => leafIndex);
      const indices = rows.map(({ index }) => index);
      assert.deepEqual(await found('station', station, ALWAYS, 10), indices);
      assert.deepEqual(await found('station', station, { from: at(2), to: at(3) }, 10), indices.slice(1, 2));
      assert.deepEqual(await found('generation', String(generation), ALWAYS, 2), indices.slice(0, 2));
      assert.deepEqual(await found('operator', station, ALWAYS, 10), []);
    });
  });

  it('finds nobody by a rejection before any key was sent, and who moved a unit by the place it came from', async () => {
    const [from, to] = [unique('station'), unique('station')];
    const revocation = { generation: null, keyVersions: [], certificateSerials: [] };
    const known = { operation: unique('op'), station: from, ticket: 'T', attemptedAt: at(1) };
    const rows = [
      leafAbout('rejection', 2, { eid: unique('eid'), operation: unique('op'), station: to, revocation }),
      leafAbout('appearance', 3, { eid: unique('eid'), station: to, epoch: 2, known }),
    ];
    await store().transaction((tx) => tx.insertLeaves(rows));
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.tracesBy('station', to, ALWAYS, 10), []);
      const [left] = await tx.tracesBy('station', from, ALWAYS, 10);
      assert.deepEqual(
        [left?.part, left?.at, left?.ticket, left?.operation],
        [1, at(1), 'T', known.operation],
      );
    });
  });

  it('gives the certificates of the units that it finds, and the operations that are not finished', async () => {
    const gateway = unique('gateway');
    const row = operation();
    const said = { certificate: { issuer: 'i', issuerKeyId: 'aa' }, batch: 'b', station: 's', time: {} };
    const made = { ...record(1, row), record: new TextEncoder().encode(JSON.stringify(said)) };
    await store().transaction(async (tx) => {
      await tx.insertOperation(row);
      await tx.insertRecords([made]);
      await tx.insertLeaves([
        leafAbout('registration', 1, { eid: row.eid, operation: row.operation, gateway }),
      ]);
    });
    await store().transaction(async (tx) => {
      const found = await tx.certificatesTraced('gateway', gateway, ALWAYS, 10);
      assert.deepEqual(
        found.map(({ serial }) => serial),
        [made.certificateSerial],
      );
      assert.ok((await tx.openOperations(1_000)).some((open) => open.operation === row.operation));
      await tx.updateOperation({ ...row, state: 'recorded' });
    });
    await store().transaction(async (tx) => {
      assert.ok(!(await tx.openOperations(1_000)).some((open) => open.operation === row.operation));
      assert.deepEqual(await tx.revocationsAmong([made.certificateSerial ?? '']), []);
    });
  });
}

function livesAreFound(store: () => FleetStore): void {
  it('gives of each unit of a ticket the last that officers did with it, and the tickets that are open', async () => {
    const ticket = unique('ticket');
    const [lived, other] = [operation(), operation()];
    const rows = [1, 2].map((hour) => leafAbout('unit-life', hour, { eid: lived.eid }));
    await store().transaction(async (tx) => {
      for (const { operation: id, eid } of [lived, other])
        await tx.takeUnit({ ticket, operation: id, eid }, { quota: 2, rate: anyRate });
      await tx.insertLeaves([...rows, leafAbout('unit-life', 3, { eid: unique('eid') })]);
    });
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.lifeLeavesOf(ticket), rows.slice(1));
      assert.ok((await tx.openTickets(1_000)).includes(ticket));
      assert.equal(await tx.closeTicket(ticket, at(4)), true);
      assert.ok(!(await tx.openTickets(1_000)).includes(ticket));
    });
  });
}

const at = (hour: number): string => `2026-11-22T0${hour}:00:00.000Z`;

let next = 7_000_000;

function leafAbout(kind: LeafKind, hour: number, body: Readonly<Record<string, Json>>): LeafRow {
  const key = unique(`${kind}/`);
  return { index: next++, key, hash: new Uint8Array(32), entry: leafOf(kind, key, at(hour), body).entry };
}
