/** What every fleet store keeps to, real or simulated. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isFault } from '../../runtime/core/faults.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import {
  appearancesAreKept,
  logIsKept,
  readersAreServed,
  releasesAndEventsAreKept,
  rowsAreKept,
} from '../store/fleet-row-claims.ts';
import { appearance, event, leaf, operation, record, release, takeOne, unique } from '../store/fleet-rows.ts';
import { historiesAreKept } from '../store/history-claims.ts';
import { operatorsAreKept } from '../store/operator-claims.ts';
import { ordersAreKept } from '../store/order-claims.ts';
import { revocationsAreKept } from '../store/revocation-claims.ts';

export interface FleetStoreSubject extends AsyncDisposable {
  /** Two backends on one database. */
  readonly store: FleetStore;
  readonly other: FleetStore;
}

export function fleetStoreContract(name: string, open: () => Promise<FleetStoreSubject>): void {
  describe(`fleet store, ${name}`, () => {
    let subject: FleetStoreSubject;
    const store = (): FleetStore => subject.store;
    before(async () => {
      subject = await open();
    });
    after(() => subject[Symbol.asyncDispose]());
    rowsAreKept(store);
    appearancesAreKept(store);
    releasesAndEventsAreKept(store);
    logIsKept(store);
    readersAreServed(store);
    revocationsAreKept(store);
    historiesAreKept(store);
    operatorsAreKept(store);
    transactionsAreWhole(store, () => subject.other);
    keysAreUnique(store);
    rivalsAreOrdered(store, () => subject.other);
    ordersAreKept(store, () => subject.other);
  });
}

function transactionsAreWhole(store: () => FleetStore, other: () => FleetStore): void {
  it('leaves nothing of a transaction whose work throws, and passes the error on', async () => {
    const row = operation();
    const ticket = unique('ticket');
    const wrong = new Error('no');
    const work = store().transaction(async (tx) => {
      await tx.insertOperation(row);
      await takeOne(tx, ticket, 1);
      await tx.insertRecords([record(1, row)]);
      await tx.updateOperation({ ...row, epoch: 7 });
      assert.equal((await tx.operationByEid(row.eid))?.epoch, 7);
      throw wrong;
    });
    await assert.rejects(work, wrong);
    await store().transaction(async (tx) => {
      assert.equal(await tx.operationByEid(row.eid), null);
      assert.equal(await tx.recordByEid(row.eid), null);
      assert.equal(await takeOne(tx, ticket, 1), true);
    });
  });

  it('shows nothing to others before the commit', async () => {
    const row = operation();
    const writing = store().transaction(async (tx) => {
      await tx.insertOperation(row);
      for (let i = 0; i < 10; i++) await tx.readHead();
      await tx.updateOperation({ ...row, epoch: 2 });
    });
    const look = () => other().transaction(async (tx) => (await tx.operationByEid(row.eid))?.epoch ?? null);
    const seen = await Promise.all(Array.from({ length: 12 }, look));
    await writing;
    assert.deepEqual(
      seen.filter((epoch) => epoch !== null && epoch !== 2),
      [],
    );
    assert.equal(await look(), 2);
  });

  it('runs verbs that are called together, and returns what the work returns', async () => {
    const row = operation();
    const [, , taken] = await store().transaction((tx) =>
      Promise.all([tx.insertOperation(row), tx.controller(unique('gate')), takeOne(tx, unique('t'), 1)]),
    );
    assert.equal(taken, true);
    assert.equal(await store().transaction(async () => 'nothing asked'), 'nothing asked');
  });

  it('has no verbs after the end of the transaction', async () => {
    const tx = await store().transaction(async (own) => ({ late: () => own.readHead() }));
    await assert.rejects(tx.late(), /after its transaction had ended/);
  });

  it('does not update an operation that is not there', async () => {
    await assert.rejects(store().transaction((tx) => tx.updateOperation(operation())));
  });
}

function keysAreUnique(store: () => FleetStore): void {
  const conflicts = async (key: string, work: Parameters<FleetStore['transaction']>[0]): Promise<void> => {
    await assert.rejects(store().transaction(work), (error) => {
      assert.ok(isFault(error));
      const { code, context } = error;
      assert.deepEqual([code, context.outcome, context.key], ['STORE_UNAVAILABLE', 'conflict', key]);
      return true;
    });
  };
  it('refuses a second operation with an EID, a fingerprint or an id, naming the key', async () => {
    const row = operation();
    await store().transaction((tx) => tx.insertOperation(row));
    const { eid, seFingerprint } = row;
    await conflicts('operation_eid', (tx) => tx.insertOperation({ ...operation(), eid }));
    await conflicts('operation_se_fingerprint', (tx) =>
      tx.insertOperation({ ...operation(), seFingerprint }),
    );
    await conflicts('operation_operation', (tx) =>
      tx.insertOperation({ ...operation(), operation: row.operation }),
    );
    const second = operation();
    await store().transaction((tx) => tx.insertOperation(second));
    await conflicts('operation_se_fingerprint', (tx) => tx.updateOperation({ ...second, seFingerprint }));
  });

  it('refuses a second record of an EID, a serial number or a public key, inside one list too', async () => {
    const row = record(1);
    await store().transaction((tx) => tx.insertRecords([row]));
    const { eid, certificateSerial, publicKeyHash } = row;
    await conflicts('identity_record_eid', (tx) => tx.insertRecords([record(2), { ...record(2), eid }]));
    await conflicts('identity_record_certificate_serial', (tx) =>
      tx.insertRecords([{ ...record(2), certificateSerial }]),
    );
    await conflicts('identity_record_public_key_hash', (tx) =>
      tx.insertRecords([{ ...record(2), publicKeyHash }]),
    );
    const twice = record(3);
    await conflicts('identity_record_operation', (tx) => tx.insertRecords([twice, twice]));
  });

  it('takes any number of records without certificate and key', async () => {
    const none = { certificateSerial: null, publicKeyHash: null };
    const rows = [
      { ...record(4), ...none },
      { ...record(5), ...none },
    ] as const;
    await store().transaction((tx) => tx.insertRecords(rows));
    for (const row of rows) assert.deepEqual(await store().transaction((tx) => tx.recordByEid(row.eid)), row);
  });

  it('refuses the same appearance a second time, inside one list too', async () => {
    const row = appearance(1);
    await store().transaction((tx) => tx.insertAppearances([row]));
    await conflicts('appearance_key', (tx) => tx.insertAppearances([{ ...appearance(2), key: row.key }]));
    const twice = appearance(3);
    await conflicts('appearance_key', (tx) => tx.insertAppearances([twice, twice]));
  });

  it('lets one at a time disown an operation, and gives its EID to one alone', async () => {
    const row = operation();
    await store().transaction((tx) => tx.insertOperation(row));
    const rivals = Array.from({ length: 6 }, () => ({ ...operation(), eid: row.eid }));
    const answers = await Promise.all(
      rivals.map((rival) =>
        store().transaction(async (tx) => {
          const present = await tx.operationByEid(row.eid);
          if (present !== null && present.operation !== row.operation) return present.operation;
          if (present !== null) await tx.disownOperation(row.operation);
          await tx.insertOperation(rival);
          return rival.operation;
        }),
      ),
    );
    assert.equal(new Set(answers).size, 1);
  });

  it('keeps revoked stations in their order, and no station and no number twice', async () => {
    const since = '2026-11-22T12:00:00.000Z';
    const row = (station: string, number: number) => ({ station, number, since, reason: 'stolen' });
    await store().transaction(async (tx) => {
      await tx.insertRevokedStation(row('station-8', 2));
      await tx.insertRevokedStation(row('station-9', 1));
    });
    const kept = await store().transaction((tx) => tx.revokedStations());
    assert.deepEqual(kept, [row('station-9', 1), row('station-8', 2)]);
    await conflicts('revoked_station_station', (tx) => tx.insertRevokedStation(row('station-9', 3)));
    await conflicts('revoked_station_number', (tx) => tx.insertRevokedStation(row('station-7', 2)));
  });

  it('keeps enrolled stations in their order, and no number and no key twice', async () => {
    const since = '2026-11-22T12:00:00.000Z';
    const row = (number: number, envelopeKey: string) => ({
      ...{ station: 'station-9', number, since, tlsKey: '04aa', envelopeKey },
    });
    await store().transaction(async (tx) => {
      await tx.insertEnrolledStation(row(2, '04bb'));
      await tx.insertEnrolledStation(row(1, '04cc'));
    });
    const kept = await store().transaction((tx) => tx.enrolledStations());
    assert.deepEqual(kept, [row(1, '04cc'), row(2, '04bb')]);
    await conflicts('enrolled_station_number', (tx) => tx.insertEnrolledStation(row(2, '04dd')));
    await conflicts('enrolled_station_envelope_key', (tx) => tx.insertEnrolledStation(row(3, '04cc')));
  });

  it('refuses a counter, a leaf or an event a second time', async () => {
    const name = unique('gate');
    const journal = unique('journal');
    await store().transaction(async (tx) => {
      await tx.insertReleases([release(name, 1, unique('op'))]);
      await tx.insertLeaves([leaf(500)]);
      await tx.insertEvents([event(journal, 0, '{}')]);
    });
    await conflicts('gate_release_controller_counter', (tx) => tx.insertReleases([release(name, 1, 'x')]));
    await conflicts('log_leaf_index', (tx) => tx.insertLeaves([{ ...leaf(500), key: 'other' }]));
    await conflicts('log_leaf_key', (tx) => tx.insertLeaves([{ ...leaf(501), key: leaf(500).key }]));
    await conflicts('station_event_station_journal_sequence', (tx) =>
      tx.insertEvents([event(journal, 1, '{}'), event(journal, 0, '{}')]),
    );
    assert.equal(await store().transaction((tx) => tx.event('s1', journal, 1)), null);
  });
}

function rivalsAreOrdered(store: () => FleetStore, other: () => FleetStore): void {
  const both = (i: number): FleetStore => (i % 2 === 0 ? store() : other());

  it('lets exactly one of many reservations of an EID win, and the others see it', async () => {
    const rows = Array.from({ length: 8 }, () => ({ ...operation(), eid: '' }));
    const eid = unique('eid');
    const answers = await Promise.all(
      rows.map((row, i) =>
        both(i).transaction(async (tx) => {
          const present = await tx.operationByEid(eid);
          if (present !== null) return present.operation;
          await tx.insertOperation({ ...row, eid });
          return row.operation;
        }),
      ),
    );
    assert.equal(new Set(answers).size, 1);
    const stored = await store().transaction((tx) => tx.operationByEid(eid));
    assert.equal(stored?.operation, answers[0]);
  });

  it('never gives more quota than there is', async () => {
    const ticket = unique('ticket');
    const taken = await Promise.all(
      Array.from({ length: 12 }, (_, i) => both(i).transaction((tx) => takeOne(tx, ticket, 5))),
    );
    assert.equal(taken.filter(Boolean).length, 5);
    assert.equal(await store().transaction((tx) => takeOne(tx, unique('ticket'), 0)), false);
    assert.equal(await store().transaction((tx) => takeOne(tx, ticket, 6)), true);
  });

  it('lets one at a time hold the head and a controller', async () => {
    const name = unique('gate');
    const { size } = await store().transaction((tx) => tx.readHead());
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        both(i).transaction(async (tx) => {
          const head = await tx.lockHead();
          const row = await tx.controller(name);
          await tx.updateController({ ...row, issued: row.issued + 1 });
          await tx.updateHead({ ...head, size: head.size + 1 });
        }),
      ),
    );
    await store().transaction(async (tx) => {
      assert.equal((await tx.readHead()).size, size + 8);
      assert.equal((await tx.controller(name)).issued, 8);
    });
  });

  it('lets one at a time raise the epoch of an operation', async () => {
    const row = operation();
    await store().transaction((tx) => tx.insertOperation(row));
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        both(i).transaction(async (tx) => {
          const present = await tx.operationByEid(row.eid);
          assert.ok(present !== null);
          await tx.updateOperation({ ...present, epoch: present.epoch + 1 });
        }),
      ),
    );
    const last = await store().transaction((tx) => tx.operationById(row.operation));
    assert.equal(last?.epoch, row.epoch + 8);
  });
}
