/** Certificates and revocations of the fleet database: statements, and the verbs that use them. */
import type {
  CertificateKey,
  ExecutedPlanRow,
  Fallen,
  RevocationRow,
  RevocationTransaction,
  RevokedIssuerRow,
  TrustListRow,
  UnitCertificateRow,
} from '../../../runtime/core/store/revocation.ts';
import type { Session, Statement } from './session.ts';
import { arraysOf, fieldsOf, insertInto, type Table } from './table.ts';

export const unitCertificates: Table<UnitCertificateRow> = {
  name: 'unit_certificate',
  columns: {
    serial: 'text',
    eid: 'text',
    operation: 'text',
    issuer: 'text',
    issuerKeyId: 'text',
    batch: 'text',
    station: 'text',
    recordedAt: 'text',
  },
};

export const revocations: Table<RevocationRow> = {
  name: 'revocation',
  columns: {
    serial: 'text',
    eid: 'text',
    issuer: 'text',
    plan: 'text',
    reason: 'text',
    revokedAt: 'text',
    leafIndex: 'bigint',
  },
};

const revokedIssuers: Table<RevokedIssuerRow> = {
  name: 'revoked_issuer',
  columns: {
    issuer: 'text',
    issuerKeyId: 'text',
    plan: 'text',
    reason: 'text',
    revokedAt: 'text',
    leafIndex: 'bigint',
  },
};

const plans: Table<ExecutedPlanRow> = {
  name: 'executed_plan',
  columns: { plan: 'text', executedAt: 'text', leafIndex: 'bigint' },
};

const trustLists: Table<TrustListRow> = {
  name: 'trust_list',
  columns: { number: 'bigint', jws: 'text', leafIndex: 'bigint' },
};

/** A batch, or with `*` at the end all that begin so; the name of a batch has no `*`. */
export const SAME_BATCH = `(batch = $1 or ($1 like '%*' and starts_with(batch, left($1, -1))))`;

const insertCertificates = insertInto(unitCertificates);
/** A certificate that was told before its unit was registered gets what the record says. */
export const recordCertificates: Statement = {
  name: 'record certificates',
  text: `${insertCertificates.text} on conflict (serial) do update set operation = excluded.operation,
    batch = excluded.batch, station = excluded.station, recorded_at = excluded.recorded_at`,
};

const statements = {
  addCertificates: {
    name: 'add certificates',
    text: `${insertCertificates.text} on conflict (serial) do nothing returning serial`,
  },
  certificates: {
    eid: from(unitCertificates, 'where eid = $1 order by serial limit $2'),
    batch: from(unitCertificates, `where ${SAME_BATCH} order by serial limit $2`),
    issuer: from(unitCertificates, 'where issuer = $1 order by serial limit $2'),
    station: from(unitCertificates, 'where station = $1 order by serial limit $2'),
  } satisfies Record<CertificateKey, Statement>,
  count: {
    name: 'count certificates',
    text: 'select count(*) as counted from unit_certificate where issuer = $1',
  },
  issuers: {
    name: 'recorded issuers',
    text: `select distinct issuer, issuer_key_id as "issuerKeyId" from unit_certificate order by issuer`,
  },
  revocation: from(revocations, 'where serial = $1'),
  fallen: {
    name: 'fallen of',
    text: `select exists (select 1 from revoked_issuer where issuer_key_id = $2) as intermediate,
      exists (select 1 from revocation where serial = $1) as certificate`,
  },
  revocationsOf: from(revocations, 'where issuer = $1 order by serial'),
  revocationsAfter: from(revocations, 'where serial > $1 order by serial limit $2'),
  revocationsUnder: from(revocations, 'where plan = $1 order by serial'),
  revokedIssuers: from(revokedIssuers, 'order by issuer'),
  plan: from(plans, 'where plan = $1'),
  plans: from(plans, 'order by leaf_index'),
  trustListsAfter: from(trustLists, 'where number > $1 order by number limit $2'),
  trustList: from(trustLists, 'order by number desc limit 1'),
} as const;

function from<Row>(table: Table<Row>, rest: string): Statement {
  return {
    name: `${table.name} ${rest}`.slice(0, 63),
    text: `select ${fieldsOf(table)} from ${table.name} ${rest}`,
  };
}

export function revocationVerbs(session: Session): RevocationTransaction {
  const all = <Row>(statement: Statement, ...values: readonly unknown[]): Promise<readonly Row[]> =>
    session.rows<Row>(statement, values);
  const one = async <Row>(statement: Statement, ...values: readonly unknown[]): Promise<Row | null> =>
    (await all<Row>(statement, ...values))[0] ?? null;
  const add = async <Row>(table: Table<Row>, rows: readonly Row[]): Promise<void> => {
    if (rows.length > 0) await session.count(insertInto(table), arraysOf(table, rows));
  };
  return {
    addUnitCertificates: async (rows) => {
      if (rows.length === 0) return [];
      const values = arraysOf(unitCertificates, rows);
      return (await session.rows<{ serial: string }>(statements.addCertificates, values)).map(
        ({ serial }) => serial,
      );
    },
    certificatesBy: (key, value, limit) => all(statements.certificates[key], value, limit),
    countCertificatesOf: async (issuer) => {
      const counted = await one<{ counted: number }>(statements.count, issuer);
      return counted?.counted ?? 0;
    },
    recordedIssuers: () => all(statements.issuers),
    revocation: (serial) => one(statements.revocation, serial),
    fallenOf: async (serial, issuerKeyId) => {
      const fallen = await one<Record<Fallen, boolean>>(statements.fallen, serial, issuerKeyId);
      if (fallen?.intermediate === true) return 'intermediate';
      return fallen?.certificate === true ? 'certificate' : null;
    },
    revocationsOf: (issuer) => all(statements.revocationsOf, issuer),
    revocationsAfter: (after, limit) => all(statements.revocationsAfter, after, limit),
    revocationsUnder: (plan) => all(statements.revocationsUnder, plan),
    insertRevocations: (rows) => add(revocations, rows),
    revokedIssuers: () => all(statements.revokedIssuers),
    insertRevokedIssuer: (row) => add(revokedIssuers, [row]),
    executedPlan: (plan) => one(statements.plan, plan),
    executedPlans: () => all(statements.plans),
    insertExecutedPlan: (row) => add(plans, [row]),
    newestTrustList: () => one(statements.trustList),
    trustListsAfter: (after, limit) => all(statements.trustListsAfter, after, limit),
    insertTrustList: (row) => add(trustLists, [row]),
  };
}
