/** What the gateways' ledger on PostgreSQL keeps for its intermediates. */
import assert from 'node:assert/strict';
import { type Bytes, toHex } from '../../../runtime/core/bytes.ts';
import { Fault } from '../../../runtime/core/faults.ts';
import type {
  CrlRow,
  IssuerLedger,
  KeptTrustList,
  RevokedRow,
} from '../../../runtime/core/store/issuer-ledger.ts';
import type { CertificateRow } from '../../../runtime/core/store/ledger.ts';
import { ledgerRefusal } from '../ledger-refusal.ts';
import type { Database } from './database.ts';
import { certificates } from './ledger-statements.ts';
import type { Session, Statement } from './session.ts';
import { arraysOf, columnsOf, fieldsOf, type Table, valuesOf } from './table.ts';

const revokedCertificates: Table<RevokedRow> = {
  name: 'revoked_certificate',
  columns: { serial: 'text', issuer: 'text', reason: 'text', revokedAt: 'text', order: 'text' },
};

const crls: Table<CrlRow> = {
  name: 'crl',
  columns: { issuer: 'text', number: 'bigint', thisUpdate: 'text', nextUpdate: 'text', crl: 'bytea' },
};

const trustLists: Table<KeptTrustList> = {
  name: 'known_trust_list',
  columns: { number: 'bigint', jws: 'text' },
};

const statements = {
  known: named(
    'certificates by keys',
    `select ${fieldsOf(certificates)} from certificate where public_key = any($1::bytea[])`,
  ),
  serials: named('serials in use', 'select serial from certificate where serial = any($1::text[])'),
  intend: named(
    'intend certificates',
    `insert into certificate (${columnsOf(certificates)}, "position")
     select fresh.*, (select coalesce(max("position"), 0) + 1 from certificate where eid = fresh.eid)
     from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::text[], $10::bytea[], $11::bytea[]) as fresh (${columnsOf(certificates)})`,
  ),
  store: named(
    'store certificates',
    `update certificate set certificate = coalesce(certificate.certificate, signed.certificate)
     from unnest($1::text[], $2::bytea[]) as signed (serial, certificate)
     where certificate.serial = signed.serial returning certificate.serial, certificate.certificate`,
  ),
  issuersOf: named('issuers of', 'select serial, issuer from certificate where serial = any($1::text[])'),
  revoked: named(
    'revoked certificate',
    `select ${fieldsOf(revokedCertificates)} from revoked_certificate where serial = $1`,
  ),
  revoke: named(
    'revoke certificates',
    `insert into revoked_certificate (serial, issuer, reason, revoked_at, "order")
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
     on conflict (serial) do nothing`,
  ),
  /** Locks the intermediate's row: numbers are taken one after the other. */
  takeNumber: named(
    'take crl number',
    `insert into crl_number as present (issuer, "number") values ($1, 1)
     on conflict (issuer) do update set "number" = present."number" + 1 returning "number"`,
  ),
  revokedOf: named(
    'revoked of issuer',
    `select ${fieldsOf(revokedCertificates)} from revoked_certificate where issuer = $1 order by serial`,
  ),
  storeCrl: named(
    'store crl',
    `insert into crl (issuer, "number", this_update, next_update, crl) values ($1, $2, $3, $4, $5)
     on conflict (issuer, "number") do nothing`,
  ),
  newestCrl: named(
    'newest crl',
    `select ${fieldsOf(crls)} from crl where issuer = $1 order by "number" desc limit 1`,
  ),
  keepTrustList: named(
    'keep trust list',
    `insert into known_trust_list ("number", jws) select $1::bigint, $2::text
     where not exists (select 1 from known_trust_list where "number" > $1::bigint)
     on conflict ("number") do nothing`,
  ),
  trustList: named(
    'trust list',
    `select ${fieldsOf(trustLists)} from known_trust_list order by "number" desc limit 1`,
  ),
} as const;

function named(name: string, text: string): Statement {
  return { name, text };
}

export function issuerLedger(database: Database): IssuerLedger {
  const list = <Row>(statement: Statement, ...values: readonly unknown[]): Promise<readonly Row[]> =>
    database.single<Row>(statement, values);
  return {
    intendCertificates: (rows) => database.transaction((session) => intendCertificates(session, rows)),
    storeCertificates: async (rows) => {
      const stored = await list<{ serial: string; certificate: Bytes }>(
        statements.store,
        rows.map(({ serial }) => serial),
        rows.map(({ certificate }) => certificate),
      );
      const bySerial = new Map(stored.map(({ serial, certificate }) => [serial, certificate]));
      return rows.map(({ serial }) => {
        const kept = bySerial.get(serial);
        assert.ok(kept !== undefined, 'a certificate is stored after its intent');
        return kept;
      });
    },
    issuersOf: async (serials) => {
      const found = await list<{ serial: string; issuer: string }>(statements.issuersOf, [...serials]);
      return new Map(found.map(({ serial, issuer }) => [serial, issuer]));
    },
    revoked: async (serial) => (await list<RevokedRow>(statements.revoked, serial))[0] ?? null,
    beginCrl: (issuer, rows) => database.transaction((session) => beginCrl(session, issuer, rows)),
    storeCrl: async (row) => {
      await list(statements.storeCrl, ...valuesOf(crls, row));
    },
    newestCrl: async (issuer) => (await list<CrlRow>(statements.newestCrl, issuer))[0] ?? null,
    keepTrustList: async ({ number, jws }) => {
      await list(statements.keepTrustList, number, jws);
      const [newest] = await list<KeptTrustList>(statements.trustList);
      return newest?.number === number;
    },
    trustList: async () => (await list<KeptTrustList>(statements.trustList))[0] ?? null,
  };
}

async function intendCertificates(
  session: Session,
  rows: readonly CertificateRow[],
): Promise<readonly (CertificateRow | Fault)[]> {
  const [known, used] = await Promise.all([
    session.rows<CertificateRow>(statements.known, [rows.map(({ publicKey }) => publicKey)]),
    session.rows<{ serial: string }>(statements.serials, [rows.map(({ serial }) => serial)]),
  ]);
  const byKey = new Map(known.map((row) => [toHex(row.publicKey), row]));
  const taken = new Set(used.map(({ serial }) => serial));
  const answers = rows.map((row) => {
    const before = byKey.get(toHex(row.publicKey));
    if (before !== undefined)
      return before.eid === row.eid ? before : new Fault('CERTIFICATE_REFUSED', ledgerRefusal.publicKey);
    return taken.has(row.serial) ? new Fault('CERTIFICATE_REFUSED', ledgerRefusal.serial) : row;
  });
  const fresh = rows.filter((row, i) => answers[i] === row);
  if (fresh.length > 0) await session.count(statements.intend, arraysOf(certificates, fresh));
  return answers;
}

async function beginCrl(session: Session, issuer: string, rows: readonly RevokedRow[]) {
  const [taken] = await session.rows<{ number: number }>(statements.takeNumber, [issuer]);
  assert.ok(taken !== undefined);
  if (rows.length > 0) await session.count(statements.revoke, arraysOf(revokedCertificates, rows));
  const revoked = await session.rows<RevokedRow>(statements.revokedOf, [issuer]);
  return { number: taken.number, revoked };
}
