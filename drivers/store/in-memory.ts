/** The fleet store in memory: the same verbs and unique keys as PostgreSQL, and every misfortune on request. */
import assert from 'node:assert/strict';
import type {
  AppearanceRow,
  EventRow,
  FleetStore,
  FleetTransaction,
  HeadRow,
  LeafRow,
  OperationRow,
  RecordRow,
} from '../../runtime/core/store/fleet.ts';
import { subjectsOf } from './event-subject.ts';
import { createEngine, type EngineOptions, type Verb } from './in-memory-engine.ts';
import { ALL, createFleetTables, type FleetTables, pairOf } from './in-memory-fleet-tables.ts';
import { historyVerbs, insertTraces } from './in-memory-history.ts';
import { logVerbs } from './in-memory-log.ts';
import { operatorVerbs } from './in-memory-operators.ts';
import { orderVerbs } from './in-memory-orders.ts';
import { recordCertificate, revocationVerbs } from './in-memory-revocations.ts';
import type { MemoryTable, Undo } from './in-memory-table.ts';
import { backupOf } from './in-memory-table.ts';
import { unitCertificatesOf } from './unit-certificate.ts';

export interface InMemoryFleetDatabase {
  /** A backend's connection. After `abandon` it is as if that backend had died. */
  connect(): FleetStore & AsyncDisposable & { abandon(): void };
  /** While false every transaction fails, as when the server is down. What was committed stays. */
  setReachable(reachable: boolean): void;
  /** What is stored, for whoever looks on from outside. Between two events of the clock nothing in it is uncommitted. */
  readonly tables: FleetTables;
  /** Takes a backup; the returned function restores it, and what was committed since is forgotten. */
  backup(): () => void;
}

export function createInMemoryFleetDatabase(options: EngineOptions): InMemoryFleetDatabase {
  const engine = createEngine(options, 'STORE_UNAVAILABLE');
  const tables = createFleetTables();
  return {
    connect: () => {
      const connection = engine.connect();
      return {
        transaction: (work) => connection.run((verb) => work(fleetTransaction(verb, tables))),
        abandon: () => connection.abandon(),
        close: () => connection.close(),
        [Symbol.asyncDispose]: () => connection.close(),
      };
    },
    setReachable: engine.setReachable,
    tables,
    backup: () => backupOf(Object.values(tables)),
  };
}

function fleetTransaction(verb: Verb, tables: FleetTables): FleetTransaction {
  const { operations, records, confirmations, custody, rejections, appearances, releases } = tables;
  return {
    operationByEid: (eid) => verb(() => operations.find('operation_eid', eid)),
    operationById: (operation) => verb(() => operations.find('operation_operation', operation)),
    operationByFingerprint: (seFingerprint) =>
      verb(() => operations.find('operation_se_fingerprint', seFingerprint)),
    insertOperation: (row) => verb((undo) => operations.insert(row, undo)),
    updateOperation: (row) => verb((undo) => replaceOperation(tables, row, undo)),
    updateOperations: (rows) =>
      verb((undo) => {
        for (const row of rows) replaceOperation(tables, row, undo);
      }),
    disownOperation: (operation) => verb((undo) => disown(tables, operation, undo)),
    disownedOperation: (eid, seFingerprint) =>
      verb(() => tables.disowned.group(pairOf(eid, seFingerprint), -1)[0] ?? null),
    ...orderVerbs(verb, tables),
    ...operatorVerbs(verb, tables),

    recordByOperation: (operation) => verb(() => records.find('identity_record_operation', operation)),
    recordByEid: (eid) => verb(() => records.find('identity_record_eid', eid)),
    recordByPublicKey: (hash) => verb(() => records.find('identity_record_public_key_hash', hash)),
    listRecords: (limit) => verb(() => newest(records, limit)),
    recordsFrom: (leafIndex, limit) => verb(() => recordsFrom(tables, leafIndex, limit)),
    insertRecords: (rows) =>
      verb((undo) => {
        insertAll(records, rows, undo);
        for (const row of rows.flatMap(unitCertificatesOf)) recordCertificate(tables, row, undo);
      }),
    ...revocationVerbs(verb, tables),
    ...logVerbs(verb, tables),
    ...historyVerbs(verb, tables),
    confirmation: (operation, epoch) =>
      verb(() => confirmations.find('confirmation_operation_epoch', operation, epoch)),
    confirmationsOf: (operation) => verb(() => confirmations.group(operation)),
    insertConfirmations: (rows) => verb((undo) => insertAll(confirmations, rows, undo)),
    custodyOf: (operation) => verb(() => custody.group(operation)),
    insertCustody: (rows) => verb((undo) => insertAll(custody, rows, undo)),
    rejection: (visit) => verb(() => rejections.find('rejection_visit', visit)),
    listRejections: (limit) => verb(() => newest(rejections, limit)),
    insertRejections: (rows) => verb((undo) => insertAll(rejections, rows, undo)),
    appearance: (key) => verb(() => appearances.find('appearance_key', key)),
    appearancesOf: (eid, operation, limit) => verb(() => appearancesOf(tables, eid, operation, limit)),
    insertAppearances: (rows) => verb((undo) => insertAll(appearances, rows, undo)),

    ...controllerVerbs(verb, tables),
    lastRelease: (operation) => verb(() => releases.group(operation, -1)[0] ?? null),
    releaseByCounter: (controller, counter) =>
      verb(() => releases.find('gate_release_controller_counter', controller, counter)),
    insertReleases: (rows) => verb((undo) => insertAll(releases, rows, undo)),

    eventHead: (station, journal) =>
      verb(() => tables.events.group(`${station}\u0000${journal}`, -1)[0] ?? null),
    event: (station, journal, sequence) =>
      verb(() => tables.events.find('station_event_station_journal_sequence', station, journal, sequence)),
    eventsAbout: (eid, limit) => verb(() => eventsAbout(tables, eid, limit)),
    insertEvents: (rows) => verb((undo) => insertEvents(tables, rows, undo)),

    ...stationVerbs(verb, tables),

    ...treeVerbs(verb, tables),
  };
}

type TreeVerb = 'lockHead' | 'readHead' | 'updateHead' | 'insertLeaves' | 'leafByKey' | 'leaves';

function treeVerbs(verb: Verb, tables: FleetTables): Pick<FleetTransaction, TreeVerb> {
  const { leaves } = tables;
  return {
    lockHead: () => verb(() => theHead(tables)),
    readHead: () => verb(() => theHead(tables)),
    updateHead: (row) => verb((undo) => tables.heads.replace({ ...row, id: 1 }, { ...row, id: 1 }, undo)),
    insertLeaves: (rows) =>
      verb((undo) => {
        insertAll(leaves, rows, undo);
        insertTraces(tables, rows, undo);
      }),
    leafByKey: (key) => verb(() => leaves.find('log_leaf_key', key)),
    leaves: (from, limit) => verb(() => leavesFrom(leaves, from, limit)),
  };
}

type StationVerb = 'revokedStations' | 'insertRevokedStation' | 'enrolledStations' | 'insertEnrolledStation';

function stationVerbs(
  verb: Verb,
  { revokedStations, enrolledStations }: FleetTables,
): Pick<FleetTransaction, StationVerb> {
  return {
    revokedStations: () => verb(() => revokedStations.group(ALL)),
    insertRevokedStation: (row) => verb((undo) => revokedStations.insert(row, undo)),
    enrolledStations: () => verb(() => enrolledStations.group(ALL)),
    insertEnrolledStation: (row) => verb((undo) => enrolledStations.insert(row, undo)),
  };
}

function replaceOperation({ operations }: FleetTables, row: OperationRow, undo: Undo): void {
  const old = operations.find('operation_operation', row.operation);
  assert.equal(old?.eid, row.eid, 'there is no such operation');
  operations.replace(row, row, undo);
}

function disown({ operations, disowned }: FleetTables, operation: string, undo: Undo): void {
  const row = operations.find('operation_operation', operation);
  assert.ok(row !== null, 'there is no such operation');
  operations.remove(row, undo);
  disowned.insert(row, undo);
}

function appearancesOf(
  { appearances }: FleetTables,
  eid: string,
  operation: string | null,
  limit: number,
): readonly AppearanceRow[] {
  const about = (row: AppearanceRow): boolean => row.eid === eid || row.operation === operation;
  return appearances.group(ALL).filter(about).slice(0, limit);
}

function controllerVerbs(
  verb: Verb,
  { controllers }: FleetTables,
): Pick<FleetTransaction, 'controller' | 'updateController' | 'updateControllers'> {
  return {
    controller: (name) =>
      verb((undo) => {
        const known = controllers.find('controller_controller', name);
        if (known !== null) return known;
        const made = { controller: name, arrival: 0, obeyed: 0, leftArrival: 0, leftCounter: 0, issued: 0 };
        controllers.insert(made, undo);
        return made;
      }),
    updateController: (row) => verb((undo) => controllers.replace(row, row, undo)),
    updateControllers: (rows) =>
      verb((undo) => {
        for (const row of rows) controllers.replace(row, row, undo);
      }),
  };
}

function insertAll<Row>(table: MemoryTable<Row, never>, rows: readonly Row[], undo: Undo): void {
  for (const row of rows) table.insert(row, undo);
}

function insertEvents({ events, subjects }: FleetTables, rows: readonly EventRow[], undo: Undo): void {
  insertAll(events, rows, undo);
  insertAll(subjects, rows.flatMap(subjectsOf), undo);
}

function recordsFrom({ records }: FleetTables, leafIndex: number, limit: number): readonly RecordRow[] {
  return records
    .group(ALL)
    .filter((row) => row.leafIndex >= leafIndex)
    .slice(0, limit);
}

function newest<Row>(table: MemoryTable<Row, never>, limit: number): readonly Row[] {
  return limit > 0 ? [...table.group(ALL, -limit)].reverse() : [];
}

function theHead({ heads }: FleetTables): HeadRow {
  const head = heads.find('log_head_id', 1);
  assert.ok(head !== null, 'the log has no head');
  const { size, root, checkpoint } = head;
  return { size, root, checkpoint };
}

function eventsAbout({ subjects, events }: FleetTables, eid: string, limit: number): readonly EventRow[] {
  const key = 'station_event_station_journal_sequence';
  return subjects
    .group(eid, 0, limit)
    .map((row) => events.find(key, row.station, row.journal, row.sequence))
    .filter((row) => row !== null);
}

function leavesFrom(
  leaves: MemoryTable<LeafRow, 'log_leaf_index'>,
  from: number,
  limit: number,
): readonly LeafRow[] {
  const last = leaves.group(ALL, -1)[0]?.index ?? -1;
  const found: LeafRow[] = [];
  for (let index = from; index <= last && index < from + limit; index++) {
    const leaf = leaves.find('log_leaf_index', index);
    if (leaf !== null) found.push(leaf);
  }
  return found;
}
