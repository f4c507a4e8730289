/** The tables of the simulated fleet store, with the unique keys of the real one. */
import { fromHex } from '../../runtime/core/bytes.ts';
import type {
  AppearanceRow,
  ConfirmationRow,
  ControllerRow,
  CustodyRow,
  EnrolledStationRow,
  EventRow,
  HeadRow,
  LeafRow,
  OperationRow,
  RecordRow,
  RejectionRow,
  ReleaseRow,
  RevokedStationRow,
} from '../../runtime/core/store/fleet.ts';
import type { SubjectRow } from './event-subject.ts';
import { historyTables } from './in-memory-history.ts';
import { logTables } from './in-memory-log.ts';
import { operatorTables } from './in-memory-operators.ts';
import { orderTables } from './in-memory-orders.ts';
import { revocationTables } from './in-memory-revocations.ts';
import { createTable } from './in-memory-table.ts';

/** Root of a tree without leaves: SHA-256 of nothing. RFC 6962 section 2.1. */
const EMPTY_ROOT = fromHex('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
/** The group of tables that are read as a whole. */
export const ALL = '';

export type FleetTables = ReturnType<typeof createFleetTables>;

export function createFleetTables() {
  return {
    heads: headTable(),
    ...orderTables(),
    ...logTables(),
    operations: operations(),
    disowned: disowned(),
    records: records(),
    confirmations: confirmations(),
    custody: custody(),
    rejections: rejections(),
    appearances: appearances(),
    controllers: controllers(),
    releases: releases(),
    events: events(),
    subjects: subjects(),
    leaves: leaves(),
    ...revocationTables(),
    ...historyTables(),
    ...operatorTables(),
    revokedStations: revokedStations(),
    enrolledStations: enrolledStations(),
  };
}

function headTable() {
  const head: HeadRow & { readonly id: number } = { id: 1, size: 0, root: EMPTY_ROOT, checkpoint: '' };
  const heads = createTable({
    unique: { log_head_id: (row: typeof head) => [row.id] },
    group: () => ALL,
    order: () => 0,
  });
  heads.insert(head, []);
  return heads;
}

const operations = () =>
  createTable({
    unique: {
      operation_operation: (row: OperationRow) => [row.operation],
      operation_eid: (row: OperationRow) => [row.eid],
      operation_se_fingerprint: (row: OperationRow) => [row.seFingerprint],
    },
    group: (row) => row.operation,
    order: () => 0,
  });

/** Operations that gave their EID and chip back, each pair's in their order. */
const disowned = () =>
  createTable({
    unique: { disowned_operation_operation: (row: OperationRow) => [row.operation] },
    group: (row) => pairOf(row.eid, row.seFingerprint),
    order: (a, b) => (a.reservedAt < b.reservedAt ? -1 : Number(a.reservedAt > b.reservedAt)),
  });

export function pairOf(eid: string, seFingerprint: string): string {
  return `${eid}\u0000${seFingerprint}`;
}

/** What is null is taken by nobody, as in SQL. */
function uniqueOf(value: string | null): readonly string[] | null {
  return value === null ? null : [value];
}

const records = () =>
  createTable({
    unique: {
      identity_record_operation: (row: RecordRow) => [row.operation],
      identity_record_eid: (row: RecordRow) => [row.eid],
      identity_record_certificate_serial: (row: RecordRow) => uniqueOf(row.certificateSerial),
      identity_record_public_key_hash: (row: RecordRow) => uniqueOf(row.publicKeyHash),
    },
    group: () => ALL,
    order: (a, b) => a.leafIndex - b.leafIndex,
  });

const confirmations = () =>
  createTable({
    unique: { confirmation_operation_epoch: (row: ConfirmationRow) => [row.operation, row.epoch] },
    group: (row) => row.operation,
    order: (a, b) => a.epoch - b.epoch,
  });

const custody = () =>
  createTable({
    unique: {
      custody_operation_epoch_position: (row: CustodyRow) => [row.operation, row.epoch, row.position],
    },
    group: (row) => row.operation,
    order: (a, b) => a.epoch - b.epoch || a.position - b.position,
  });

const rejections = () =>
  createTable({
    unique: { rejection_visit: (row: RejectionRow) => [row.visit] },
    group: () => ALL,
    order: (a, b) => a.leafIndex - b.leafIndex,
  });

const appearances = () =>
  createTable({
    unique: { appearance_key: (row: AppearanceRow) => [row.key] },
    group: () => ALL,
    order: (a, b) => a.leafIndex - b.leafIndex,
  });

const controllers = () =>
  createTable({
    unique: { controller_controller: (row: ControllerRow) => [row.controller] },
    group: (row) => row.controller,
    order: () => 0,
  });

const releases = () =>
  createTable({
    unique: { gate_release_controller_counter: (row: ReleaseRow) => [row.controller, row.counter] },
    group: (row) => row.operation,
    order: (a, b) => a.counter - b.counter,
  });

const events = () =>
  createTable({
    unique: {
      station_event_station_journal_sequence: (row: EventRow) => [row.station, row.journal, row.sequence],
    },
    group: (row) => `${row.station}\u0000${row.journal}`,
    order: (a, b) => a.sequence - b.sequence,
  });

const subjects = () =>
  createTable({
    unique: {
      station_event_subject_all: (row: SubjectRow) => [row.eid, row.station, row.journal, row.sequence],
    },
    group: (row) => row.eid,
    order: bySubject,
  });

const leaves = () =>
  createTable({
    unique: {
      log_leaf_index: (row: LeafRow) => [row.index],
      log_leaf_key: (row: LeafRow) => [row.key],
    },
    group: () => ALL,
    order: (a, b) => a.index - b.index,
  });

const revokedStations = () =>
  createTable({
    unique: {
      revoked_station_station: (row: RevokedStationRow) => [row.station],
      revoked_station_number: (row: RevokedStationRow) => [row.number],
    },
    group: () => ALL,
    order: (a, b) => a.number - b.number,
  });

const enrolledStations = () =>
  createTable({
    unique: {
      enrolled_station_number: (row: EnrolledStationRow) => [row.number],
      enrolled_station_envelope_key: (row: EnrolledStationRow) => [row.envelopeKey],
    },
    group: () => ALL,
    order: (a, b) => a.number - b.number,
  });

function bySubject(a: SubjectRow, b: SubjectRow): number {
  const [one, other] = [a, b].map((row) => `${row.receivedAt}\u0000${row.station}\u0000${row.journal}`);
  if (one === other) return a.sequence - b.sequence;
  return (one ?? '') < (other ?? '') ? -1 : 1;
}
