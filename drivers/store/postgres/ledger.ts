/** The gateway's ledger on PostgreSQL. */
import assert from 'node:assert/strict';
import { Fault } from '../../../runtime/core/faults.ts';
import type {
  Admission,
  CertificateRow,
  ConclusionRow,
  DialogueRow,
  GatewayLedger,
  IntentRow,
  RefusalRow,
} from '../../../runtime/core/store/ledger.ts';
import { ledgerRefusal, staleEpoch } from '../ledger-refusal.ts';
import { openDatabase, type PostgresOptions } from './database.ts';
import { InvisibleRowError } from './failure.ts';
import { issuerLedger } from './issuer-ledger.ts';
import { ledgerMigrations } from './ledger-migrations.ts';
import {
  type AdmittedRow,
  certificates,
  dialogues,
  insertDialogue,
  intents,
  refusals,
  type StoredLedgerUnit,
  statements,
} from './ledger-statements.ts';
import { ensureSchema } from './migration.ts';
import type { Session, Statement } from './session.ts';
import { arraysOf, valuesOf } from './table.ts';

type Limits = Parameters<GatewayLedger['admit']>[1];
type Conclusion = NonNullable<Awaited<ReturnType<GatewayLedger['conclusionOf']>>>;

/**
 * Connects, refuses a server that would lose what it acknowledges, and migrates the schema.
 * @throws Fault LEDGER_UNAVAILABLE, STORE_UNSAFE, STORE_SCHEMA
 */
export async function openPostgresLedger(options: PostgresOptions): Promise<GatewayLedger & AsyncDisposable> {
  const own = {
    ...options,
    applicationName: 'holdfast gateway',
    unavailableCode: 'LEDGER_UNAVAILABLE',
  } as const;
  const database = await openDatabase(own);
  try {
    await ensureSchema(database, own, ledgerMigrations);
  } catch (error) {
    await database.close();
    throw error;
  }
  const list = <Row>(statement: Statement, ...values: readonly unknown[]): Promise<readonly Row[]> =>
    database.single<Row>(statement, values);
  return {
    admit: (row, limits) => refusable(database.transaction((session) => admit(session, row, limits))),
    intend: async (row) => {
      const [newer] = await list(statements.intend, ...valuesOf(intents, row));
      if (newer !== undefined) throw staleEpoch(row);
    },
    intentsOf: (operation) => list<IntentRow>(statements.intentsOf, operation),
    certificateOf: async (eid) => (await list<CertificateRow>(statements.certificateOf, eid))[0] ?? null,
    certificatesOf: (eid) => list<CertificateRow>(statements.certificatesOf, eid),
    certificatesBy: (key, value, after, limit) =>
      list<CertificateRow>(statements.certificatesBy[key], value, after, limit),
    intendCertificate: (row) => database.transaction((session) => intendCertificate(session, row)),
    storeCertificate: async (serial, certificate) => {
      const [stored] = await list<CertificateRow>(statements.storeCertificate, serial, certificate);
      assert.ok(stored?.certificate != null, 'a certificate is stored after its intent');
      return stored.certificate;
    },
    conclude: (row) => database.transaction((session) => conclude(session, row)),
    conclusionOf: async (operation, epoch) =>
      (await list<Conclusion>(statements.conclusionOf, operation, epoch))[0] ?? null,
    transcriptsOf: (eid) => list<ConclusionRow>(statements.transcriptsOf, eid),
    noteRefusal: async (row) => {
      await list(statements.noteRefusal, ...valuesOf(refusals, row));
    },
    refusalsOf: (ticket, after, limit) => list<RefusalRow>(statements.refusalsOf, ticket, after, limit),
    countRefusals: (ticket) => list<{ code: string; count: number }>(statements.countRefusals, ticket),
    ticketUnits: async (ticket, after, limit) =>
      (await list<StoredLedgerUnit>(statements.ticketUnits, ticket, after, limit)).map(
        ({ derivations, ...unit }) => ({ ...unit, derived: derivations > 0 }),
      ),
    ...issuerLedger(database),
    raiseMark: async (told) => (await list<{ mark: number }>(statements.raiseMark, told))[0]?.mark ?? null,
    stationList: async (known) =>
      (await list<{ jws: string }>(statements.stationList, known))[0]?.jws ?? null,
    keepStationList: (number, jws) =>
      database.transaction(async (session) => {
        await session.count(statements.keepStationList, [number, jws]);
        const [kept] = await session.rows<{ jws: string }>(statements.stationList, [-1]);
        assert.ok(kept !== undefined, 'a list was kept');
        return kept.jws;
      }),
    close: () => database.close(),
    [Symbol.asyncDispose]: () => database.close(),
  };
}

/** Thrown inside the transaction, so that a refusal leaves nothing behind. */
class Refused extends Error {
  readonly admission: Admission;
  constructor(admission: Admission) {
    super('not admitted');
    this.admission = admission;
  }
}

async function refusable(work: Promise<Admission>): Promise<Admission> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refused) return error.admission;
    throw error;
  }
}

/** Operation, unit, ticket: always locked in this order. The first four statements share one flight. */
async function admit(session: Session, row: DialogueRow, limits: Limits): Promise<Admission> {
  const [[earlier], [operation], [unit], fresh] = await Promise.all([
    session.rows<AdmittedRow>(statements.dialogue, [row.dialogue]),
    session.rows<{ epoch: number }>(statements.raiseEpoch, [row.operation, row.epoch]),
    session.rows<{ attempts: number }>(statements.countAttempt, [row.eid]),
    session.rows(statements.addTicketUnit, [row.ticket, row.eid]),
  ]);
  assert.ok(operation !== undefined && unit !== undefined);
  if (operation.epoch > row.epoch) throw new Refused({ admitted: false, why: 'stale' });
  if (earlier !== undefined) throw new Refused(answerAgain(earlier, row));
  if (fresh.length > 0) {
    const taken = await session.rows(statements.takeQuota, [row.ticket, limits.quota]);
    if (taken.length === 0) throw new Refused({ admitted: false, why: 'quota' });
  }
  const { attempts } = unit;
  if (attempts > limits.attemptsMax) throw new Refused({ admitted: false, why: 'attempts' });
  await session.count(insertDialogue, arraysOf(dialogues, [{ ...row, attempts }]));
  return { admitted: true, attempts };
}

/** The answer that a dialogue got before; its repetition counts nothing a second time. */
function answerAgain(earlier: AdmittedRow, row: DialogueRow): Admission {
  const { attempts, ...stored } = earlier;
  assert.deepEqual(stored, { ...row }, 'a dialogue has one name');
  return { admitted: true, attempts };
}

async function intendCertificate(session: Session, row: CertificateRow): Promise<CertificateRow> {
  const [[known], serials] = await Promise.all([
    session.rows<CertificateRow>(statements.certificateByPublicKey, [row.publicKey]),
    session.rows(statements.serialInUse, [row.serial]),
  ]);
  if (known !== undefined) {
    if (known.eid !== row.eid) throw new Fault('CERTIFICATE_REFUSED', ledgerRefusal.publicKey);
    return known;
  }
  if (serials.length > 0) throw new Fault('CERTIFICATE_REFUSED', ledgerRefusal.serial);
  await session.count(statements.intendCertificate, valuesOf(certificates, row));
  return row;
}

/** Conclusion and transcript share one flight. */
async function conclude(session: Session, row: ConclusionRow): Promise<string> {
  const { operation, epoch, kind, jws } = row;
  const [first] = await Promise.all([
    session.rows(statements.conclude, [operation, epoch, kind, jws]),
    session.count(statements.keepTranscript, [operation, epoch, row.eid, row.at, row.transcript, jws]),
  ]);
  if (first.length > 0) {
    if (kind === 'confirmation') await session.count(statements.resetAttempts, [operation, epoch]);
    return jws;
  }
  const [[stored], [newer]] = await Promise.all([
    session.rows<Conclusion>(statements.conclusionOf, [operation, epoch]),
    session.rows(statements.newerEpoch, [operation, epoch]),
  ]);
  if (stored !== undefined) return stored.jws;
  throw newer === undefined ? new InvisibleRowError('conclusion') : staleEpoch(row);
}
