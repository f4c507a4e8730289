/** How the simulated stores count a ticket's quota: in the row of the ticket. */
import { createTable, type MemoryTable, type Undo } from './in-memory-table.ts';

interface QuotaRow {
  readonly ticket: string;
  readonly taken: number;
}

export type QuotaTable = MemoryTable<QuotaRow, 'ticket_quota_ticket'>;

export function quotaTable(): QuotaTable {
  return createTable({
    unique: { ticket_quota_ticket: (row: QuotaRow) => [row.ticket] },
    group: (row) => row.ticket,
    order: () => 0,
  });
}

/** Takes one unit; false when there is none left. */
export function takeQuota(quotas: QuotaTable, ticket: string, quota: number, undo: Undo): boolean {
  const row = quotas.find('ticket_quota_ticket', ticket);
  const taken = (row?.taken ?? 0) + 1;
  if (taken > quota) return false;
  if (row === null) quotas.insert({ ticket, taken }, undo);
  else quotas.replace(row, { ticket, taken }, undo);
  return true;
}
