/** What the simulated ledger keeps of orders: refusals, and how far the units of a ticket came. */
import type { LedgerUnit, RefusalRow } from '../../runtime/core/store/ledger.ts';
import type { LedgerTables } from './in-memory-ledger.ts';
import { createTable, type Undo } from './in-memory-table.ts';

export const refusalTable = () =>
  createTable({
    unique: { refusal_key: (row: RefusalRow) => [row.key] },
    group: (row) => row.ticket,
    order: (a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)),
  });

export function noteRefusal({ refusals }: LedgerTables, row: RefusalRow, undo: Undo): void {
  if (refusals.find('refusal_key', row.key) === null) refusals.insert(row, undo);
}

export function refusalsBehind(
  { refusals }: LedgerTables,
  ticket: string,
  after: string,
): readonly RefusalRow[] {
  return refusals.group(ticket).filter(({ key }) => key > after);
}

export function countRefusals({ refusals }: LedgerTables, ticket: string) {
  const codes = refusals.group(ticket).map(({ code }) => code);
  return [...new Set(codes)]
    .sort()
    .map((code) => ({ code, count: codes.filter((one) => one === code).length }));
}

export function ledgerUnits(
  { dialogues, intents, conclusions }: LedgerTables,
  ticket: string,
  after: string,
  limit: number,
): readonly LedgerUnit[] {
  const of = new Map<string, string>();
  for (const row of dialogues.all())
    if (row.ticket === ticket && row.operation > after) of.set(row.operation, row.eid);
  const sorted = [...of].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit);
  return sorted.map(([operation, eid]) => {
    const last = (kind: string): number =>
      Math.max(
        0,
        ...conclusions
          .group(operation)
          .filter((row) => row.kind === kind)
          .map((row) => row.epoch),
      );
    return {
      operation,
      eid,
      derived: intents.group(operation).some(({ row }) => row.step === 'put-key'),
      confirmedEpoch: last('confirmation'),
      verdictEpoch: last('verdict'),
    };
  });
}
