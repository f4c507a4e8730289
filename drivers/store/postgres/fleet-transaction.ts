/** The verbs of the fleet store as statements: one round trip each. */
import assert from 'node:assert/strict';
import type { ControllerRow, FleetTransaction, RecordRow } from '../../../runtime/core/store/fleet.ts';
import { subjectsOf } from '../event-subject.ts';
import { unitCertificatesOf } from '../unit-certificate.ts';
import { InvisibleRowError } from './failure.ts';
import { historyVerbs, insertTraces } from './fleet-history.ts';
import { recordCertificates, revocationVerbs, unitCertificates } from './fleet-revocations.ts';
import * as sql from './fleet-statements.ts';
import { logVerbs } from './log-verbs.ts';
import { operatorVerbs } from './operator-verbs.ts';
import { orderVerbs } from './order-verbs.ts';
import type { Session, Statement } from './session.ts';
import { stationVerbs } from './station-verbs.ts';
import { arraysOf, insertInto, type Table, valuesOf } from './table.ts';
import { together } from './together.ts';

const insert = {
  operations: insertInto(sql.operations),
  records: insertInto(sql.records),
  confirmations: insertInto(sql.confirmations),
  custody: insertInto(sql.custody),
  rejections: insertInto(sql.rejections),
  appearances: insertInto(sql.appearances),
  releases: insertInto(sql.releases),
  events: insertInto(sql.events),
  subjects: insertInto(sql.subjects),
  leaves: insertInto(sql.leaves),
  unitCertificates: recordCertificates,
} as const;

const { select, findings } = sql;

export function fleetTransaction(session: Session): FleetTransaction {
  const one = async <Row>(statement: sql.Select<Row>, ...values: readonly unknown[]): Promise<Row | null> =>
    (await session.rows<Row>(statement, values))[0] ?? null;
  const all = <Row>(statement: sql.Select<Row>, ...values: readonly unknown[]): Promise<readonly Row[]> =>
    session.rows<Row>(statement, values);
  const add = async <Row>(statement: Statement, table: Table<Row>, rows: readonly Row[]): Promise<void> => {
    if (rows.length > 0) await session.count(statement, arraysOf(table, rows));
  };
  const change = async <Row>(statement: Statement, table: Table<Row>, row: Row): Promise<void> => {
    const changed = await session.count(statement, valuesOf(table, row));
    assert.equal(changed, 1, `there is no such row: ${statement.name}`);
  };
  const controllerOf = together(session, findings.controller);
  return {
    operationByEid: (eid) => one(select.operationByEid, eid),
    operationById: together(session, findings.operationById),
    operationByFingerprint: (seFingerprint) => one(select.operationByFingerprint, seFingerprint),
    insertOperation: (row) => add(insert.operations, sql.operations, [row]),
    updateOperation: (row) => change(sql.updateOperation, sql.operations, row),
    updateOperations: (rows) => changeAll(session, sql.updateOperations, sql.operations, rows),
    disownOperation: (operation) => disown(session, operation),
    disownedOperation: (eid, seFingerprint) => one(select.disownedOperation, eid, seFingerprint),
    ...orderVerbs(session),
    ...stationVerbs(session),
    ...operatorVerbs(session),

    recordByOperation: together(session, findings.recordByOperation),
    recordByEid: (eid) => one(select.recordByEid, eid),
    recordByPublicKey: together(session, findings.recordByPublicKey),
    listRecords: (limit) => all(select.listRecords, limit),
    recordsFrom: (leafIndex, limit) => all(select.recordsFrom, leafIndex, limit),
    insertRecords: (rows) => insertRecords(session, rows),
    ...revocationVerbs(session),
    ...logVerbs(session),
    ...historyVerbs(session),
    confirmation: (operation, epoch) => one(select.confirmation, operation, epoch),
    confirmationsOf: (operation) => all(select.confirmationsOf, operation),
    insertConfirmations: (rows) => add(insert.confirmations, sql.confirmations, rows),
    custodyOf: (operation) => all(select.custodyOf, operation),
    insertCustody: (rows) => add(insert.custody, sql.custody, rows),
    rejection: (visit) => one(select.rejection, visit),
    listRejections: (limit) => all(select.listRejections, limit),
    insertRejections: (rows) => add(insert.rejections, sql.rejections, rows),
    appearance: (key) => one(select.appearance, key),
    appearancesOf: (eid, operation, limit) => all(select.appearancesOf, eid, operation, limit),
    insertAppearances: (rows) => add(insert.appearances, sql.appearances, rows),

    controller: async (name) => (await controllerOf(name)) ?? makeController(session, name),
    updateController: (row) => change(sql.updateController, sql.controllers, row),
    updateControllers: (rows) => changeAll(session, sql.updateControllers, sql.controllers, rows),
    lastRelease: together(session, findings.lastRelease),
    releaseByCounter: together(session, findings.releaseByCounter),
    insertReleases: (rows) => add(insert.releases, sql.releases, rows),

    eventHead: (station, journal) => one(select.eventHead, station, journal),
    event: (station, journal, sequence) => one(select.event, station, journal, sequence),
    eventsAbout: (eid, limit) => all(select.eventsAbout, eid, limit),
    insertEvents: async (rows) => {
      await Promise.all([
        add(insert.events, sql.events, rows),
        add(insert.subjects, sql.subjects, rows.flatMap(subjectsOf)),
      ]);
    },

    ...treeVerbs(session),
  };
}

async function changeAll<Row>(
  session: Session,
  statement: Statement,
  table: Table<Row>,
  rows: readonly Row[],
): Promise<void> {
  const changed = await session.count(statement, arraysOf(table, rows));
  assert.equal(changed, rows.length, `there are no such rows: ${statement.name}`);
}

function treeVerbs(
  session: Session,
): Pick<FleetTransaction, 'lockHead' | 'readHead' | 'updateHead' | 'insertLeaves' | 'leafByKey' | 'leaves'> {
  const all = <Row>(statement: sql.Select<Row>, ...values: readonly unknown[]): Promise<readonly Row[]> =>
    session.rows<Row>(statement, values);
  const one = async <Row>(statement: sql.Select<Row>, ...values: readonly unknown[]): Promise<Row | null> =>
    (await all(statement, ...values))[0] ?? null;
  return {
    lockHead: () => theHead(one(select.lockHead)),
    readHead: () => theHead(one(select.readHead)),
    updateHead: async (row) => {
      await session.count(sql.updateHead, [row.size, row.root, row.checkpoint]);
    },
    insertLeaves: async (rows) => {
      if (rows.length === 0) return;
      await Promise.all([
        session.count(insert.leaves, arraysOf(sql.leaves, rows)),
        insertTraces(session, rows),
      ]);
    },
    leafByKey: (key) => one(select.leafByKey, key),
    leaves: (from, limit) => all(select.leaves, from, from + limit),
  };
}

/** With each record the certificate that is found by its batch, station and intermediate. */
async function insertRecords(session: Session, rows: readonly RecordRow[]): Promise<void> {
  const known = rows.flatMap(unitCertificatesOf);
  await Promise.all([
    rows.length > 0 ? session.count(insert.records, arraysOf(sql.records, rows)) : undefined,
    known.length > 0 ? session.count(insert.unitCertificates, arraysOf(unitCertificates, known)) : undefined,
  ]);
}

async function disown(session: Session, operation: string): Promise<void> {
  const moved = await session.count(sql.disownOperation, [operation]);
  assert.equal(moved, 1, 'there is no such operation');
}

async function makeController(session: Session, name: string): Promise<ControllerRow> {
  const making = session.count(sql.makeController, [name]);
  const [found] = await Promise.all([session.rows<ControllerRow>(select.controller, [name]), making]);
  const [made] = found;
  if (made === undefined) throw new InvisibleRowError('controller');
  return made;
}

/** The migration made this row, and nothing deletes it. */
async function theHead<Row>(row: Promise<Row | null>): Promise<Row> {
  const head = await row;
  assert.ok(head !== null, 'the log has no head');
  return head;
}
