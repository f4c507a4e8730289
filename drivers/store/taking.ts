/** Why a ticket gives no unit, the same in both stores. */
import type { Taking, TicketRow } from '../../runtime/core/store/orders.ts';

export function takingRefused(row: TicketRow, quota: number): Taking {
  if (row.closedAt !== null) return { taken: false, why: 'closed' };
  return row.taken >= quota
    ? { taken: false, why: 'quota' }
    : { taken: false, why: 'rate', fullUs: row.fullUs };
}
