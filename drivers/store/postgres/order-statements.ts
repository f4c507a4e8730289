/** Statements on orders in the fleet database. */
import type { NestRow, TicketRow, TicketUnit } from '../../../runtime/core/store/orders.ts';
import type { Statement } from './session.ts';
import { fieldsOf, type Table } from './table.ts';

const tickets: Table<TicketRow> = {
  name: 'ticket_quota',
  columns: { ticket: 'text', taken: 'bigint', fullUs: 'bigint', closedAt: 'text' },
};

export const nests: Table<NestRow> = {
  name: 'nest_claim',
  columns: { controller: 'text', nest: 'text', arrival: 'bigint', operation: 'text' },
};

/** What a row of `ticketUnits` is before its flags are made. */
export type StoredUnit = Omit<TicketUnit, 'recorded'> & { readonly records: number };

export const orders = {
  ticket: named('ticket', `select ${fieldsOf(tickets)} from ticket_quota where ticket = $1`),
  lockTicket: named(
    'lock ticket',
    `select ${fieldsOf(tickets)} from ticket_quota where ticket = $1 for update`,
  ),
  /** One statement, so that the row of the ticket is judged and changed under its lock; no row comes back for a
   * refusal. $3: now, $4: what one unit takes, $5: how far ahead may be booked; microseconds. */
  takeUnit: named(
    'take unit',
    `with took as (
       insert into ticket_quota as present (ticket, taken, full_us)
       select $1::text, 1, $3::bigint + $4::bigint where $2::bigint > 0
       on conflict (ticket) do update set taken = present.taken + 1,
         full_us = greatest(present.full_us, $3::bigint) + $4::bigint
       where present.taken < $2::bigint and present.closed_at is null
         and present.full_us - $3::bigint <= $5::bigint
       returning ticket)
     insert into ticket_unit (ticket, operation, eid) select ticket, $6::text, $7::text from took
     returning operation`,
  ),
  hasUnit: named('has unit', 'select operation from ticket_unit where ticket = $1 and operation = $2'),
  ticketUnits: named(
    'ticket units',
    `select unit.operation, unit.eid, coalesce(operation.state, 'disowned') as state,
       coalesce(operation.ticket, unit.ticket) as ticket,
       (select count(*) from identity_record where identity_record.operation = unit.operation) as records,
       (select coalesce(max(epoch), 0) from confirmation where confirmation.operation = unit.operation)
         as "confirmedEpoch"
     from ticket_unit as unit left join operation on operation.operation = unit.operation
     where unit.ticket = $1 and unit.operation > $2 order by unit.operation limit $3`,
  ),
  closeTicket: named(
    'close ticket',
    `update ticket_quota set closed_at = $2 where ticket = $1 and closed_at is null`,
  ),
  nest: named('nest', `select ${fieldsOf(nests)} from nest_claim where controller = $1 and nest = $2`),
  putNest: named(
    'put nest',
    `insert into nest_claim (controller, nest, arrival, operation) values ($1, $2, $3, $4)
     on conflict (controller, nest) do update set arrival = excluded.arrival, operation = excluded.operation`,
  ),
} as const;

function named(name: string, text: string): Statement {
  return { name, text };
}
