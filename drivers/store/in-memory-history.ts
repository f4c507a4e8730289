/** The history of units in the simulated fleet store. */
import { type TraceKey, type TraceRow, tracesOf } from '../../runtime/core/history/trace.ts';
import type { LeafRow, OperationRow } from '../../runtime/core/store/fleet.ts';
import type { HistoryVerbs, Span } from '../../runtime/core/store/history.ts';
import type { Verb } from './in-memory-engine.ts';
import type { orderTables } from './in-memory-orders.ts';
import type { RevocationTables } from './in-memory-revocations.ts';
import { createTable, type MemoryTable, type Undo } from './in-memory-table.ts';

export type HistoryTables = ReturnType<typeof historyTables> &
  Pick<RevocationTables, 'revocations' | 'certificates'> &
  Pick<ReturnType<typeof orderTables>, 'tickets' | 'units'> & {
    readonly leaves: MemoryTable<LeafRow, 'log_leaf_index' | 'log_leaf_key'>;
    readonly operations: Pick<MemoryTable<OperationRow, never>, 'all'>;
  };

export function historyTables() {
  return {
    traces: createTable({
      unique: { leaf_trace_leaf_index_part: (row: TraceRow) => [row.leafIndex, row.part] },
      group: (row) => row.eid,
      order: byLeaf,
    }),
  };
}

export function historyVerbs(verb: Verb, tables: HistoryTables): HistoryVerbs {
  const { traces, leaves, operations, revocations, certificates, tickets, units } = tables;
  return {
    leavesAbout: (eid, at, limit) =>
      verb(() =>
        traces
          .group(eid)
          .filter((row) => row.part === 0 && row.at <= at)
          .slice(0, limit)
          .flatMap(({ leafIndex }) => leaves.find('log_leaf_index', leafIndex) ?? []),
      ),
    tracesBy: (...asked) => verb(() => found(traces, ...asked)),
    certificatesTraced: (key, value, span, limit) =>
      verb(() => {
        const eids = new Set(found(traces, key, value, span, Number.POSITIVE_INFINITY).map(({ eid }) => eid));
        return certificates
          .all()
          .filter(({ eid }) => eids.has(eid))
          .sort((a, b) => (a.serial < b.serial ? -1 : 1))
          .slice(0, limit);
      }),
    openOperations: (limit) =>
      verb(() =>
        operations
          .all()
          .filter(({ state }) => state === 'reserved')
          .sort((a, b) => (a.operation < b.operation ? -1 : 1))
          .slice(0, limit),
      ),
    openTickets: (limit) =>
      verb(() =>
        tickets
          .all()
          .filter(({ closedAt }) => closedAt === null)
          .map(({ ticket }) => ticket)
          .sort()
          .slice(0, limit),
      ),
    lifeLeavesOf: (ticket) =>
      verb(() => {
        const last = units
          .group(ticket)
          .flatMap(({ eid }) => traces.group(eid).findLast(({ kind }) => kind === 'unit-life') ?? [])
          .map(({ leafIndex }) => leafIndex);
        return [...new Set(last)]
          .sort((a, b) => a - b)
          .flatMap((index) => leaves.find('log_leaf_index', index) ?? []);
      }),
    revocationsAmong: (serials) =>
      verb(() =>
        [...serials].sort().flatMap((serial) => revocations.find('revocation_serial', serial) ?? []),
      ),
  };
}

function found(
  traces: HistoryTables['traces'],
  key: TraceKey,
  value: string,
  { from, to }: Span,
  limit: number,
): readonly TraceRow[] {
  return traces
    .all()
    .filter((row) => row[key] !== null && String(row[key]) === value)
    .filter((row) => (from === null || row.at >= from) && (to === null || row.at < to))
    .sort(byLeaf)
    .slice(0, limit);
}

export function insertTraces({ traces }: HistoryTables, rows: readonly LeafRow[], undo: Undo): void {
  for (const trace of rows.flatMap(tracesOf)) traces.insert(trace, undo);
}

function byLeaf(a: TraceRow, b: TraceRow): number {
  return a.leafIndex - b.leafIndex || a.part - b.part;
}
