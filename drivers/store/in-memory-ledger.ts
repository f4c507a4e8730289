/** The gateway's ledger in memory: the same answers as PostgreSQL, and every misfortune on request. */
import assert from 'node:assert/strict';
import { type Bytes, toHex } from '../../runtime/core/bytes.ts';
import { Fault } from '../../runtime/core/faults.ts';
import { covers } from '../../runtime/core/pki/scope.ts';
import type {
  Admission,
  CertificateRow,
  ConclusionRow,
  DialogueRow,
  GatewayLedger,
  IntentRow,
  IssuedKey,
} from '../../runtime/core/store/ledger.ts';
import { createEngine, type EngineOptions } from './in-memory-engine.ts';
import { issuerLedger, issuerTables } from './in-memory-issuer-ledger.ts';
import { listVerbs } from './in-memory-ledger-lists.ts';
import {
  countRefusals,
  ledgerUnits,
  noteRefusal,
  refusalsBehind,
  refusalTable,
} from './in-memory-ledger-orders.ts';
import { quotaTable, takeQuota } from './in-memory-quota.ts';
import { backupOf, createTable, type Undo } from './in-memory-table.ts';
import { ledgerRefusal, staleEpoch } from './ledger-refusal.ts';

export interface InMemoryLedgerDatabase {
  /** A gateway's connection. After `abandon` it is as if that gateway had died. */
  connect(): GatewayLedger & AsyncDisposable & { abandon(): void };
  /** While false every call fails, as when the server is down. What was committed stays. */
  setReachable(reachable: boolean): void;
  /** Takes a backup; the returned function restores it, and what was committed since is forgotten. */
  backup(): () => void;
  /** What is stored, for whoever looks on from outside. */
  readonly tables: LedgerTables;
}

type Limits = Parameters<GatewayLedger['admit']>[1];

interface Placed<Row> {
  readonly position: number;
  readonly row: Row;
}

export function createInMemoryLedgerDatabase(options: EngineOptions): InMemoryLedgerDatabase {
  const engine = createEngine(options, 'LEDGER_UNAVAILABLE');
  const tables = createTables();
  return {
    connect: () => {
      const connection = engine.connect();
      const call = <T>(action: (undo: Undo) => T): Promise<T> => connection.run((verb) => verb(action));
      return {
        admit: (row, limits) => call((undo) => admit(tables, row, limits, undo)),
        intend: (row) => call((undo) => intend(tables, row, undo)),
        intentsOf: (operation) => call(() => tables.intents.group(operation).map((one) => one.row)),
        certificateOf: (eid) => call(() => certificatesOf(tables, eid)[0] ?? null),
        certificatesOf: (eid) => call(() => certificatesOf(tables, eid)),
        certificatesBy: (key, value, after, limit) =>
          call(() =>
            certificatesBy(tables, key, value)
              .filter(({ serial }) => serial > after)
              .slice(0, limit),
          ),
        intendCertificate: (row) => call((undo) => intendCertificate(tables, row, undo)),
        storeCertificate: (serial, der) => call((undo) => storeCertificate(tables, serial, der, undo)),
        conclude: (row) => call((undo) => conclude(tables, row, undo)),
        conclusionOf: (operation, epoch) =>
          call(() => {
            const stored = tables.conclusions.find('conclusion_operation_epoch', operation, epoch);
            return stored && { kind: stored.kind, jws: stored.jws };
          }),
        transcriptsOf: (eid) =>
          call(() => {
            const kept = tables.eids.group(eid).map(({ operation, epoch }) => [operation, epoch] as const);
            return kept
              .flatMap((key) => tables.conclusions.find('conclusion_operation_epoch', ...key) ?? [])
              .sort((a, b) => (a.at === b.at ? b.epoch - a.epoch : a.at < b.at ? 1 : -1));
          }),
        noteRefusal: (row) => call((undo) => noteRefusal(tables, row, undo)),
        refusalsOf: (ticket, after, limit) =>
          call(() => refusalsBehind(tables, ticket, after).slice(0, limit)),
        countRefusals: (ticket) => call(() => countRefusals(tables, ticket)),
        ticketUnits: (ticket, after, limit) => call(() => ledgerUnits(tables, ticket, after, limit)),
        ...issuerLedger(call, tables, {
          intend: (row, undo) => intendCertificate(tables, row, undo),
          store: (serial, der, undo) => storeCertificate(tables, serial, der, undo),
          issuerOf: (serial) => tables.certificates.find('certificate_serial', serial)?.issuer ?? null,
        }),
        ...listVerbs(call, tables),
        abandon: () => connection.abandon(),
        close: () => connection.close(),
        [Symbol.asyncDispose]: () => connection.close(),
      };
    },
    setReachable: engine.setReachable,
    backup: () => backupOf(Object.values(tables)),
    tables,
  };
}

interface AdmittedRow extends DialogueRow {
  readonly attempts: number;
}
export type LedgerTables = ReturnType<typeof createTables>;
type Tables = LedgerTables;

function createTables() {
  return {
    ...issuerTables(),
    dialogues: createTable({
      unique: { dialogue_dialogue: (row: AdmittedRow) => [row.dialogue] },
      group: (row) => `${row.operation} ${row.epoch}`,
      order: () => 0,
    }),
    epochs: createTable({
      unique: { operation_epoch_operation: (row: { operation: string; epoch: number }) => [row.operation] },
      group: (row) => row.operation,
      order: () => 0,
    }),
    attempts: createTable({
      unique: { unit_attempts_eid: (row: { eid: string; attempts: number }) => [row.eid] },
      group: (row) => row.eid,
      order: () => 0,
    }),
    stationLists: createTable({
      unique: { station_list_id: (row: { id: number; number: number; jws: string }) => [row.id] },
      group: () => '',
      order: () => 0,
    }),
    marks: createTable({
      unique: { ledger_mark_id: (row: { id: number; mark: number }) => [row.id] },
      group: () => '',
      order: () => 0,
    }),
    quotas: quotaTable(),
    ticketUnits: createTable({
      unique: { ticket_unit_ticket_eid: (row: { ticket: string; eid: string }) => [row.ticket, row.eid] },
      group: (row) => row.ticket,
      order: () => 0,
    }),
    intents: createTable({
      unique: {
        intent_operation_position: (one: Placed<IntentRow>) => [one.row.operation, one.position],
      },
      group: (one) => one.row.operation,
      order: (a, b) => a.position - b.position,
    }),
    certificates: createTable({
      unique: {
        certificate_serial: (one: StoredCertificate) => [one.serial],
        certificate_public_key: (one: StoredCertificate) => [toHex(one.publicKey)],
        certificate_eid_position: (one: StoredCertificate) => [one.eid, one.position],
      },
      group: (one) => one.eid,
      order: (a, b) => a.position - b.position,
    }),
    conclusions: createTable({
      unique: { conclusion_operation_epoch: (row: ConclusionRow) => [row.operation, row.epoch] },
      group: (row) => row.operation,
      order: () => 0,
    }),
    refusals: refusalTable(),
    eids: createTable({
      unique: { transcript_operation_epoch: (row: Transcribed) => [row.operation, row.epoch] },
      group: (row) => row.eid,
      order: () => 0,
    }),
  };
}

/** The epochs of an EID that have a conclusion, and with it a transcript. */
type Transcribed = Pick<ConclusionRow, 'operation' | 'epoch' | 'eid'>;

interface StoredCertificate extends CertificateRow {
  readonly position: number;
}

/** Judges first and changes afterwards, so that a refusal leaves nothing behind. */
function admit(tables: Tables, row: DialogueRow, limits: Limits, undo: Undo): Admission {
  const seen = tables.epochs.find('operation_epoch_operation', row.operation);
  if (seen !== null && seen.epoch > row.epoch) return { admitted: false, why: 'stale' };
  const earlier = tables.dialogues.find('dialogue_dialogue', row.dialogue);
  if (earlier !== null) {
    const { attempts, ...stored } = earlier;
    assert.deepEqual(stored, { ...row }, 'a dialogue has one name');
    return { admitted: true, attempts };
  }
  const known = tables.ticketUnits.find('ticket_unit_ticket_eid', row.ticket, row.eid) !== null;
  const taken = tables.quotas.find('ticket_quota_ticket', row.ticket)?.taken ?? 0;
  if (!known && taken >= limits.quota) return { admitted: false, why: 'quota' };
  const unit = tables.attempts.find('unit_attempts_eid', row.eid);
  const attempts = (unit?.attempts ?? 0) + 1;
  if (attempts > limits.attemptsMax) return { admitted: false, why: 'attempts' };

  const epoch = { operation: row.operation, epoch: row.epoch };
  if (seen === null) tables.epochs.insert(epoch, undo);
  else tables.epochs.replace(seen, epoch, undo);
  if (!known) {
    tables.ticketUnits.insert({ ticket: row.ticket, eid: row.eid }, undo);
    takeQuota(tables.quotas, row.ticket, limits.quota, undo);
  }
  if (unit === null) tables.attempts.insert({ eid: row.eid, attempts }, undo);
  else tables.attempts.replace(unit, { eid: row.eid, attempts }, undo);
  tables.dialogues.insert({ ...row, attempts }, undo);
  return { admitted: true, attempts };
}

/** @throws Fault RESERVATION_STALE */
function demandNewest(tables: Tables, row: { readonly operation: string; readonly epoch: number }): void {
  const seen = tables.epochs.find('operation_epoch_operation', row.operation);
  if (seen !== null && seen.epoch > row.epoch) throw staleEpoch(row);
}

/** The same intent again, word for word, is one intent: its first answer was lost. */
function intend(tables: Tables, row: IntentRow, undo: Undo): void {
  demandNewest(tables, row);
  const earlier = tables.intents.group(row.operation);
  const same = (one: Placed<IntentRow>): boolean =>
    one.row.dialogue === row.dialogue &&
    one.row.epoch === row.epoch &&
    one.row.step === row.step &&
    one.row.detail === row.detail &&
    one.row.at === row.at;
  if (!earlier.some(same)) tables.intents.insert({ position: earlier.length + 1, row }, undo);
}

function certificatesOf(tables: Tables, eid: string): readonly CertificateRow[] {
  return [...tables.certificates.group(eid)].reverse().map(withoutPosition);
}

function certificatesBy(tables: Tables, key: IssuedKey, value: string): readonly CertificateRow[] {
  return tables.certificates
    .all()
    .filter((row) => (key === 'batch' ? covers(value, row.batch) : row[key] === value))
    .sort((a, b) => (a.serial < b.serial ? -1 : 1))
    .map(withoutPosition);
}

function withoutPosition({ position: _, ...row }: StoredCertificate): CertificateRow {
  return row;
}

function intendCertificate(tables: Tables, row: CertificateRow, undo: Undo): CertificateRow {
  const { certificates } = tables;
  const known = certificates.find('certificate_public_key', toHex(row.publicKey));
  if (known !== null) {
    if (known.eid !== row.eid) throw new Fault('CERTIFICATE_REFUSED', ledgerRefusal.publicKey);
    return withoutPosition(known);
  }
  if (certificates.find('certificate_serial', row.serial) !== null)
    throw new Fault('CERTIFICATE_REFUSED', ledgerRefusal.serial);
  certificates.insert({ ...row, position: certificates.group(row.eid).length + 1 }, undo);
  return row;
}

function storeCertificate(tables: Tables, serial: string, certificate: Bytes, undo: Undo): Bytes {
  const row = tables.certificates.find('certificate_serial', serial);
  assert.ok(row !== null, 'a certificate is stored after its intent');
  if (row.certificate !== null) return row.certificate;
  tables.certificates.replace(row, { ...row, certificate }, undo);
  return certificate;
}

function conclude(tables: Tables, row: ConclusionRow, undo: Undo): string {
  const stored = tables.conclusions.find('conclusion_operation_epoch', row.operation, row.epoch);
  if (stored !== null) return stored.jws;
  demandNewest(tables, row);
  tables.conclusions.insert(row, undo);
  tables.eids.insert({ operation: row.operation, epoch: row.epoch, eid: row.eid }, undo);
  if (row.kind === 'verdict') return row.jws;
  for (const { eid } of tables.dialogues.group(`${row.operation} ${row.epoch}`)) {
    const unit = tables.attempts.find('unit_attempts_eid', eid);
    if (unit !== null) tables.attempts.replace(unit, { eid, attempts: 0 }, undo);
  }
  return row.jws;
}
