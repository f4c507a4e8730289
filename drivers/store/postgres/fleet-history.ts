/** The history of units in the fleet database: statements, and the verbs that use them. */
import { type TraceKey, type TraceRow, traceKeys, tracesOf } from '../../../runtime/core/history/trace.ts';
import type { LeafRow, OperationRow } from '../../../runtime/core/store/fleet.ts';
import type { HistoryVerbs } from '../../../runtime/core/store/history.ts';
import type { RevocationRow, UnitCertificateRow } from '../../../runtime/core/store/revocation.ts';
import { revocations, unitCertificates } from './fleet-revocations.ts';
import { operations } from './fleet-statements.ts';
import type { Session, Statement } from './session.ts';
import { arraysOf, fieldsOf, insertInto, type Table } from './table.ts';

const traces: Table<TraceRow> = {
  name: 'leaf_trace',
  columns: {
    leafIndex: 'bigint',
    part: 'bigint',
    kind: 'text',
    at: 'text',
    eid: 'text',
    operation: 'text',
    station: 'text',
    operator: 'text',
    ticket: 'text',
    intermediate: 'text',
    gateway: 'text',
    generation: 'bigint',
    keyVersion: 'bigint',
    software: 'text',
    certificateSerial: 'text',
  },
};

const statements = {
  insert: insertInto(traces),
  leavesAbout: {
    name: 'leaves about',
    text: `select leaf."index", leaf."key", leaf.hash, leaf.entry
      from leaf_trace as trace join log_leaf as leaf on leaf."index" = trace.leaf_index
      where trace.eid = $1 and trace.part = 0 and trace."at" <= $2 order by trace.leaf_index limit $3`,
  },
  open: {
    name: 'open operations',
    text: `select ${fieldsOf(operations)} from operation where state = 'reserved' order by operation limit $1`,
  },
  openTickets: {
    name: 'open tickets',
    text: 'select ticket from ticket_quota where closed_at is null order by ticket limit $1',
  },
  lifeLeavesOf: {
    name: 'life leaves of',
    text: `select leaf."index", leaf."key", leaf.hash, leaf.entry
      from (select trace.eid, max(trace.leaf_index) as last from ticket_unit as unit
        join leaf_trace as trace on trace.eid = unit.eid and trace.kind = 'unit-life'
        where unit.ticket = $1 group by trace.eid) as lived
      join log_leaf as leaf on leaf."index" = lived.last order by leaf."index"`,
  },
  revokedAmong: {
    name: 'revoked among',
    text: `select ${fieldsOf(revocations)} from revocation where serial = any($1::text[]) order by serial`,
  },
} as const;

const tracesBy = forEachKey((key) => ({
  name: `traces by ${key}`,
  text: `select ${fieldsOf(traces)} from leaf_trace where ${within(key)} order by leaf_index, part limit $4`,
}));

const certificatesTraced = forEachKey((key) => ({
  name: `certificates by ${key}`,
  text: `select ${fieldsOf(unitCertificates)} from unit_certificate
    where eid in (select eid from leaf_trace where ${within(key)}) order by serial limit $4`,
}));

function forEachKey(make: (key: TraceKey) => Statement): Readonly<Record<TraceKey, Statement>> {
  return Object.fromEntries(traceKeys.map((key) => [key, make(key)])) as Record<TraceKey, Statement>;
}

function within(key: TraceKey): string {
  return `${key} = $1 and "at" >= $2 and "at" < $3`;
}

/** An end that is not given is one that no time reaches. */
const EARLIEST = '0';
const LATEST = '~';

export function historyVerbs(session: Session): HistoryVerbs {
  return {
    leavesAbout: (eid, at, limit) => session.rows<LeafRow>(statements.leavesAbout, [eid, at, limit]),
    tracesBy: (key, value, { from, to }, limit) =>
      session.rows<TraceRow>(tracesBy[key], [value, from ?? EARLIEST, to ?? LATEST, limit]),
    certificatesTraced: (key, value, { from, to }, limit) =>
      session.rows<UnitCertificateRow>(certificatesTraced[key], [
        value,
        from ?? EARLIEST,
        to ?? LATEST,
        limit,
      ]),
    openOperations: (limit) => session.rows<OperationRow>(statements.open, [limit]),
    openTickets: async (limit) =>
      (await session.rows<{ ticket: string }>(statements.openTickets, [limit])).map(({ ticket }) => ticket),
    lifeLeavesOf: (ticket) => session.rows<LeafRow>(statements.lifeLeavesOf, [ticket]),
    revocationsAmong: (serials) => session.rows<RevocationRow>(statements.revokedAmong, [serials]),
  };
}

/** Together with the leaves. */
export async function insertTraces(session: Session, leaves: readonly LeafRow[]): Promise<void> {
  const rows = leaves.flatMap(tracesOf);
  if (rows.length > 0) await session.count(statements.insert, arraysOf(traces, rows));
}
