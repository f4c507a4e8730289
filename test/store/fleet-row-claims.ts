/** The part of the fleet store's contract that is about its rows: what goes in comes out. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import type { EventRow, FleetStore, OperationRow } from '../../runtime/core/store/fleet.ts';
import {
  appearance,
  controller,
  event,
  leaf,
  operation,
  record,
  rejection,
  release,
  unique,
} from './fleet-rows.ts';

export function rowsAreKept(store: () => FleetStore): void {
  it('finds an operation by its id, EID and fingerprint, and after a change by what it has become', async () => {
    const row = operation();
    const moved: OperationRow = { ...row, seFingerprint: unique('fp'), epoch: 2, state: 'recorded' };
    await store().transaction((tx) => tx.insertOperation(row));
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.operationById(row.operation), row);
      assert.deepEqual(await tx.operationByEid(row.eid), row);
      await tx.updateOperation(moved);
    });
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.operationByFingerprint(moved.seFingerprint), moved);
      assert.equal(await tx.operationByFingerprint(row.seFingerprint), null);
      assert.equal(await tx.operationById('none'), null);
    });
  });

  it('gives records back byte by byte, newest first', async () => {
    const [one, two] = [record(1_000_001), record(1_000_002)];
    await store().transaction((tx) => tx.insertRecords([two, one]));
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.recordByOperation(one.operation), one);
      assert.deepEqual(await tx.recordByEid(two.eid), two);
      assert.deepEqual(await tx.recordByPublicKey(two.publicKeyHash ?? ''), two);
      assert.deepEqual(await tx.listRecords(2), [two, one]);
      assert.deepEqual(await tx.listRecords(0), []);
      assert.deepEqual(await tx.recordsFrom(one.leafIndex, 9), [one, two]);
      assert.deepEqual(await tx.recordsFrom(one.leafIndex, 1), [one]);
      assert.deepEqual(await tx.recordsFrom(one.leafIndex + 1, 9), [two]);
    });
  });

  it('keeps confirmations and custody by operation and epoch, in order', async () => {
    const id = unique('op');
    const confirmations = [2, 1].map((epoch) => ({
      operation: id,
      epoch,
      jws: `jws ${epoch} "\\{},`,
      sha256: 'ab',
      leafIndex: epoch,
    }));
    const custody = [
      { operation: id, epoch: 1, position: 1, holder: 'gateway', statement: 'b', sha256: '2' },
      { operation: id, epoch: 1, position: 0, holder: 'station', statement: 'a', sha256: '1' },
    ];
    await store().transaction(async (tx) => {
      await tx.insertConfirmations(confirmations);
      await tx.insertCustody(custody);
      await tx.insertCustody([]);
    });
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.confirmationsOf(id), confirmations.toReversed());
      assert.deepEqual(await tx.confirmation(id, 2), confirmations[0]);
      assert.equal(await tx.confirmation(id, 3), null);
      assert.deepEqual(await tx.custodyOf(id), custody.toReversed());
    });
  });

  it('keeps rejections, of units without an EID too, newest first', async () => {
    const [one, two] = [rejection(2_000_001), { ...rejection(2_000_002), eid: null }];
    await store().transaction((tx) => tx.insertRejections([one, two]));
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.rejection(two.visit), two);
      assert.deepEqual(await tx.listRejections(2), [two, one]);
    });
  });
}

export function releasesAndEventsAreKept(store: () => FleetStore): void {
  it('makes the row of a controller when it is missing, and keeps its releases by counter', async () => {
    const name = unique('gate');
    const id = unique('op');
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.controller(name), controller(name));
      await tx.updateController({ ...controller(name), arrival: 2 ** 47, issued: 9 });
      await tx.insertReleases([release(name, 9, id), release(name, 3, id)]);
    });
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.controller(name), { ...controller(name), arrival: 2 ** 47, issued: 9 });
      assert.deepEqual(await tx.lastRelease(id), release(name, 9, id));
      assert.deepEqual(await tx.releaseByCounter(name, 3), release(name, 3, id));
      assert.equal(await tx.releaseByCounter(name, 4), null);
      assert.equal(await tx.lastRelease(unique('op')), null);
    });
  });

  it('knows the last event of a journal, and the events about an EID, oldest first', async () => {
    const eid = unique('').padStart(32, '8');
    const journal = unique('journal');
    const about = (sequence: number): EventRow => event(journal, sequence, `{"eid":"${eid}","x":"${eid}"}`);
    const rows = [about(0), event(journal, 1, `{"hash":"a${eid}"}`), about(2), about(3)];
    await store().transaction((tx) => tx.insertEvents(rows));
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.eventHead('s1', journal), rows[3]);
      assert.equal(await tx.eventHead('s2', journal), null);
      assert.deepEqual(await tx.event('s1', journal, 1), rows[1]);
      assert.deepEqual(await tx.eventsAbout(eid, 2), [rows[0], rows[2]]);
      assert.deepEqual(await tx.eventsAbout(eid.replace('8', '9'), 2), []);
    });
  });
}

export function logIsKept(store: () => FleetStore): void {
  it('RFC 6962 section 2.1: the head of a new log is the hash of nothing', async () => {
    const head = await store().transaction((tx) => tx.readHead());
    const root = Uint8Array.from(createHash('sha256').digest());
    assert.deepEqual(head, { size: 0, root, checkpoint: '' });
  });

  it('keeps leaves by index and key, and moves the head', async () => {
    const rows = [leaf(0), leaf(1), leaf(2)];
    const moved = { size: 3, root: Uint8Array.of(0, 255, 92), checkpoint: 'fleet\n3\n' };
    await store().transaction(async (tx) => {
      await tx.lockHead();
      await tx.insertLeaves(rows);
      await tx.updateHead(moved);
    });
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.readHead(), moved);
      assert.deepEqual(await tx.leaves(1, 5), rows.slice(1));
      assert.deepEqual(await tx.leaves(0, 2), rows.slice(0, 2));
      assert.deepEqual(await tx.leaves(3, 2), []);
      assert.deepEqual(await tx.leafByKey('leaf/1'), rows[1]);
      assert.equal(await tx.leafByKey('leaf/3'), null);
    });
  });
}

export function readersAreServed(store: () => FleetStore): void {
  it('keeps tiles by level and index, and counts them', async () => {
    const root = (index: number) => new Uint8Array(32).fill(index);
    const hashes = (index: number) => new Uint8Array(8192).fill(index);
    const tile = (level: number, index: number) => ({
      level,
      index,
      root: root(index),
      hashes: hashes(index),
    });
    await store().transaction((tx) => tx.insertTiles([tile(0, 0), tile(0, 1), tile(0, 2), tile(1, 0)]));
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.tiles(0, 1, 5), [tile(0, 1), tile(0, 2)]);
      assert.deepEqual(await tx.tiles(1, 0, 1), [tile(1, 0)]);
      assert.deepEqual(await tx.tiles(2, 0, 1), []);
      assert.deepEqual(await tx.tileRoots(0, 1, 5), [root(1), root(2)]);
      assert.deepEqual([await tx.countTiles(0), await tx.countTiles(1), await tx.countTiles(2)], [3, 1, 0]);
    });
  });

  it('keeps what witnesses said, the first time for each size, and finds it from a size on', async () => {
    const row = (size: number, witness: string, line = `${witness} ${size}`) => ({
      ...{ size, witness, line, cosignedAt: 1_800_000_000, checkpoint: `fleet\n${size}\n` },
    });
    await store().transaction((tx) => tx.insertCosignatures([row(5, 'w-b'), row(5, 'w-a'), row(9, 'w-a')]));
    await store().transaction((tx) => tx.insertCosignatures([row(5, 'w-a', 'another'), row(7, 'w-b')]));
    await store().transaction(async (tx) => {
      const found = await tx.cosignatures(5, 9);
      assert.deepEqual(found, [row(5, 'w-a'), row(5, 'w-b'), row(7, 'w-b'), row(9, 'w-a')]);
      assert.deepEqual(await tx.cosignatures(6, 1), [row(7, 'w-b')]);
      assert.deepEqual([await tx.cosignedSize('w-a'), await tx.cosignedSize('w-c')], [9, 0]);
    });
  });
}

export function appearancesAreKept(store: () => FleetStore): void {
  it('keeps appearances, by key, and for the EID that was shown as for the operation that it is about', async () => {
    const [one, two] = [appearance(3_000_002), { ...appearance(3_000_001), faultCode: null }];
    const { eid } = one;
    const about = { ...appearance(3_000_003), operation: two.operation };
    await store().transaction((tx) => tx.insertAppearances([one, two, about]));
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.appearance(two.key), two);
      assert.equal(await tx.appearance('none'), null);
      assert.deepEqual(await tx.appearancesOf(eid, null, 9), [one]);
      assert.deepEqual(await tx.appearancesOf(eid, two.operation, 9), [two, one, about]);
      assert.deepEqual(await tx.appearancesOf(eid, two.operation, 2), [two, one]);
      assert.deepEqual(await tx.appearancesOf('none', null, 9), []);
    });
  });

  it('frees EID and chip of a disowned operation, and finds it again by this very pair alone', async () => {
    const row: OperationRow = { ...operation(), state: 'rejected' };
    const { eid, seFingerprint } = row;
    const genuine: OperationRow = { ...operation(), eid };
    const elsewhere: OperationRow = { ...operation(), seFingerprint };
    await store().transaction((tx) => tx.insertOperation(row));
    await store().transaction(async (tx) => {
      await tx.disownOperation(row.operation);
      await tx.insertOperation(genuine);
      await tx.insertOperation(elsewhere);
    });
    await store().transaction(async (tx) => {
      assert.equal(await tx.operationById(row.operation), null);
      assert.deepEqual(await tx.operationByEid(eid), genuine);
      assert.deepEqual(await tx.operationByFingerprint(seFingerprint), elsewhere);
      assert.deepEqual(await tx.disownedOperation(eid, seFingerprint), row);
      assert.equal(await tx.disownedOperation(eid, genuine.seFingerprint), null);
      assert.equal(await tx.disownedOperation(elsewhere.eid, seFingerprint), null);
    });
  });

  it('keeps every disowned operation of a pair, and names the newest', async () => {
    const first = operation();
    const { eid, seFingerprint } = first;
    const second = { ...operation(), eid, seFingerprint, reservedAt: '2026-11-22T11:00:00.000Z' };
    for (const row of [first, second])
      await store().transaction(async (tx) => {
        await tx.insertOperation(row);
        await tx.disownOperation(row.operation);
      });
    const newest = await store().transaction((tx) => tx.disownedOperation(eid, seFingerprint));
    assert.deepEqual(newest, second);
  });

  it('disowns nothing that is not there, and nothing when the work fails', async () => {
    await assert.rejects(store().transaction((tx) => tx.disownOperation('none')));
    const row = operation();
    await store().transaction((tx) => tx.insertOperation(row));
    const wrong = new Error('no');
    const work = store().transaction(async (tx) => {
      await tx.disownOperation(row.operation);
      assert.equal(await tx.operationByEid(row.eid), null);
      throw wrong;
    });
    await assert.rejects(work, wrong);
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.operationByEid(row.eid), row);
      assert.equal(await tx.disownedOperation(row.eid, row.seFingerprint), null);
    });
  });
}
