/** Every statement on the gateway's ledger. */
import type {
  CertificateRow,
  DialogueRow,
  IntentRow,
  IssuedKey,
  LedgerUnit,
  RefusalRow,
} from '../../../runtime/core/store/ledger.ts';
import { SAME_BATCH } from './fleet-revocations.ts';
import type { Statement } from './session.ts';
import { columnsOf, fieldsOf, insertInto, type Table } from './table.ts';

/** A dialogue with the answer that it got, so that the same request gets it again. */
export interface AdmittedRow extends DialogueRow {
  readonly attempts: number;
}

export const dialogues: Table<AdmittedRow> = {
  name: 'dialogue',
  columns: {
    dialogue: 'text',
    operation: 'text',
    epoch: 'bigint',
    eid: 'text',
    seFingerprint: 'text',
    ticket: 'text',
    station: 'text',
    instance: 'text',
    openedAt: 'text',
    attempts: 'bigint',
  },
};

export const intents: Table<IntentRow> = {
  name: 'intent',
  columns: {
    dialogue: 'text',
    operation: 'text',
    epoch: 'bigint',
    step: 'text',
    detail: 'text',
    at: 'text',
  },
};

export const certificates: Table<CertificateRow> = {
  name: 'certificate',
  columns: {
    serial: 'text',
    eid: 'text',
    publicKey: 'bytea',
    issuer: 'text',
    operation: 'text',
    batch: 'text',
    station: 'text',
    profile: 'text',
    notBefore: 'text',
    toBeSigned: 'bytea',
    certificate: 'bytea',
  },
};

export const refusals: Table<RefusalRow> = {
  name: 'refusal',
  columns: {
    key: 'text',
    station: 'text',
    code: 'text',
    ticket: 'text',
    eid: 'text',
    entry: 'text',
    at: 'text',
  },
};

export const insertDialogue = insertInto(dialogues);

/** What a row of `ticketUnits` is before its flag is made. */
export type StoredLedgerUnit = Omit<LedgerUnit, 'derived'> & { readonly derivations: number };

function certificatesBy(name: string, where: string): Statement {
  return named(
    `certificates by ${name}`,
    `select ${fieldsOf(certificates)} from certificate where ${where} and serial > $2 order by serial limit $3`,
  );
}

export const statements = {
  dialogue: named('dialogue', `select ${fieldsOf(dialogues)} from dialogue where dialogue = $1`),
  /** Answers the newest epoch of the operation, and locks its row. */
  raiseEpoch: named(
    'raise epoch',
    `insert into operation_epoch as present (operation, epoch) values ($1, $2)
     on conflict (operation) do update set epoch = greatest(present.epoch, excluded.epoch) returning epoch`,
  ),
  countAttempt: named(
    'count attempt',
    `insert into unit_attempts as present (eid, attempts) values ($1, 1)
     on conflict (eid) do update set attempts = present.attempts + 1 returning attempts`,
  ),
  /** A row comes back when this EID is new under the ticket. */
  addTicketUnit: named(
    'add ticket unit',
    `insert into ticket_unit (ticket, eid) values ($1, $2) on conflict (ticket, eid) do nothing returning eid`,
  ),
  takeQuota: named(
    'take quota',
    `insert into ticket_quota as present (ticket, taken) select $1, 1 where $2::bigint > 0
     on conflict (ticket) do update set taken = present.taken + 1 where present.taken < $2::bigint
     returning taken`,
  ),

  /** The count of the operation orders its intents and lets one at a time pass. The same intent again, word
   * for word, is one intent: its first answer was lost. A row comes back when a newer epoch is known. */
  intend: named(
    'intend',
    `with newer as (select epoch from operation_epoch where operation = $2::text and epoch > $3::bigint),
     place as (
       insert into intent_count as present (operation, counted)
       select $2::text, 1 where not exists (select 1 from newer)
       on conflict (operation) do update set counted = present.counted + 1 returning counted),
     added as (
       insert into intent (operation, "position", dialogue, epoch, step, detail, "at")
       select $2::text, counted, $1::text, $3::bigint, $4::text, $5::text, $6::text from place
       where not exists (select 1 from intent where operation = $2 and dialogue = $1 and epoch = $3
         and step = $4 and detail = $5 and "at" = $6))
     select epoch from newer`,
  ),
  intentsOf: named(
    'intents of',
    `select ${fieldsOf(intents)} from intent where operation = $1 order by "position"`,
  ),

  certificateOf: named(
    'certificate of',
    `select ${fieldsOf(certificates)} from certificate where eid = $1 order by "position" desc limit 1`,
  ),
  certificatesOf: named(
    'certificates of',
    `select ${fieldsOf(certificates)} from certificate where eid = $1 order by "position" desc`,
  ),
  certificateByPublicKey: named(
    'certificate by public key',
    `select ${fieldsOf(certificates)} from certificate where public_key = $1`,
  ),
  certificatesBy: {
    eid: certificatesBy('eid', 'eid = $1'),
    batch: certificatesBy('batch', SAME_BATCH),
    issuer: certificatesBy('issuer', 'issuer = $1'),
    station: certificatesBy('station', 'station = $1'),
  } satisfies Record<IssuedKey, Statement>,
  serialInUse: named('serial in use', 'select serial from certificate where serial = $1'),
  intendCertificate: named(
    'intend certificate',
    `insert into certificate (${columnsOf(certificates)}, "position")
     select $1::text, $2::text, $3::bytea, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text,
       $10::bytea, $11::bytea, (select coalesce(max("position"), 0) + 1 from certificate where eid = $2)`,
  ),
  storeCertificate: named(
    'store certificate',
    `update certificate set certificate = coalesce(certificate, $2) where serial = $1 returning certificate`,
  ),

  /** A row comes back when this is the first outcome of the epoch, and no newer epoch is known. */
  conclude: named(
    'conclude',
    `insert into conclusion (operation, epoch, kind, jws)
     select $1::text, $2::bigint, $3::text, $4::text
     where not exists (select 1 from operation_epoch where operation = $1 and epoch > $2)
     on conflict (operation, epoch) do nothing returning jws`,
  ),
  newerEpoch: named('newer epoch', 'select epoch from operation_epoch where operation = $1 and epoch > $2'),
  resetAttempts: named(
    'reset attempts',
    `update unit_attempts set attempts = 0
     where eid in (select eid from dialogue where operation = $1 and epoch = $2)`,
  ),
  conclusionOf: named(
    'conclusion of',
    'select kind, jws from conclusion where operation = $1 and epoch = $2',
  ),
  /** A row comes back where the mark was not lower; a ledger without one has none to compare, unless something was told. */
  raiseMark: named(
    'raise mark',
    `insert into ledger_mark as present (id, mark)
     select 1, 1 where $1::bigint = 0 or exists (select 1 from ledger_mark)
     on conflict (id) do update set mark = present.mark + 1 where present.mark >= $1::bigint returning mark`,
  ),
  stationList: named('station list', 'select jws from station_list where id = 1 and number > $1'),
  keepStationList: named(
    'keep station list',
    `insert into station_list as present (id, number, jws) values (1, $1, $2)
     on conflict (id) do update set number = excluded.number, jws = excluded.jws
     where present.number <= excluded.number`,
  ),
  /** Only beside the conclusion that signs its hash: not beside another that was first. */
  keepTranscript: named(
    'keep transcript',
    `insert into transcript (operation, epoch, eid, "at", transcript)
     select $1::text, $2::bigint, $3::text, $4::text, $5::text
     where exists (select 1 from conclusion where operation = $1 and epoch = $2 and jws = $6::text)
     on conflict (operation, epoch) do nothing`,
  ),
  transcriptsOf: named(
    'transcripts of',
    `select operation, epoch, kind, jws, eid, "at", transcript
     from transcript join conclusion using (operation, epoch) where eid = $1 order by "at" desc, epoch desc`,
  ),

  noteRefusal: named(
    'note refusal',
    `insert into refusal (${columnsOf(refusals)}) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict ("key") do nothing`,
  ),
  refusalsOf: named(
    'refusals of',
    `select ${fieldsOf(refusals)} from refusal where ticket = $1 and "key" > $2
     order by "key" limit $3`,
  ),
  countRefusals: named(
    'count refusals',
    'select code, count(*) as count from refusal where ticket = $1 group by code order by code',
  ),
  ticketUnits: named(
    'ticket units',
    `select unit.operation, unit.eid,
       (select count(*) from intent where intent.operation = unit.operation and step = 'put-key') as derivations,
       (select coalesce(max(epoch), 0) from conclusion
         where conclusion.operation = unit.operation and kind = 'confirmation') as "confirmedEpoch",
       (select coalesce(max(epoch), 0) from conclusion
         where conclusion.operation = unit.operation and kind = 'verdict') as "verdictEpoch"
     from (select distinct operation, eid from dialogue where ticket = $1 and operation > $2
           order by operation limit $3) as unit order by unit.operation`,
  ),
} as const;

function named(name: string, text: string): Statement {
  return { name, text };
}
