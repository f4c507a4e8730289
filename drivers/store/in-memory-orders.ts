/** Orders in the simulated fleet store. */
import { booked } from '../../runtime/core/orders/rate.ts';
import type {
  NestRow,
  OrderVerbs,
  Taking,
  TicketRow,
  TicketUnit,
  UnitLimits,
  UnitRow,
} from '../../runtime/core/store/orders.ts';
import type { Verb } from './in-memory-engine.ts';
import type { FleetTables } from './in-memory-fleet-tables.ts';
import { createTable, type Undo } from './in-memory-table.ts';
import { takingRefused } from './taking.ts';

export const orderTables = () => ({
  tickets: createTable({
    unique: { ticket_quota_ticket: (row: TicketRow) => [row.ticket] },
    group: (row) => row.ticket,
    order: () => 0,
  }),
  units: createTable({
    unique: { ticket_unit_ticket_operation: (row: UnitRow) => [row.ticket, row.operation] },
    group: (row) => row.ticket,
    order: (a, b) => (a.operation < b.operation ? -1 : Number(a.operation > b.operation)),
  }),
  nests: createTable({
    unique: { nest_claim_controller_nest: (row: NestRow) => [row.controller, row.nest] },
    group: (row) => row.controller,
    order: () => 0,
  }),
});

export function orderVerbs(verb: Verb, tables: FleetTables): OrderVerbs {
  const { tickets, units, nests, revokedStations } = tables;
  return {
    ticket: (ticket) => verb(() => tickets.find('ticket_quota_ticket', ticket)),
    lockTicket: (ticket) => verb(() => tickets.find('ticket_quota_ticket', ticket)),
    takeUnit: (unit, limits) => verb((undo) => takeUnit(tables, unit, limits, undo)),
    hasUnit: (ticket, operation) =>
      verb(() => units.find('ticket_unit_ticket_operation', ticket, operation) !== null),
    ticketUnits: (ticket, after, limit) =>
      verb(() => {
        const rest = units.group(ticket).filter(({ operation }) => operation > after);
        return rest.slice(0, limit).map((unit) => ticketUnit(tables, unit));
      }),
    closeTicket: (ticket, closedAt) =>
      verb((undo) => {
        const row = tickets.find('ticket_quota_ticket', ticket);
        if (row === null || row.closedAt !== null) return false;
        tickets.replace(row, { ...row, closedAt }, undo);
        return true;
      }),
    nest: (controller, nest) => verb(() => nests.find('nest_claim_controller_nest', controller, nest)),
    putNest: (row) =>
      verb((undo) => {
        const known = nests.find('nest_claim_controller_nest', row.controller, row.nest);
        if (known === null) nests.insert(row, undo);
        else nests.replace(known, row, undo);
      }),
    revokedStation: (station) => verb(() => revokedStations.find('revoked_station_station', station)),
  };
}

function takeUnit(
  { tickets, units }: FleetTables,
  unit: UnitRow,
  { quota, rate }: UnitLimits,
  undo: Undo,
): Taking {
  const known = tickets.find('ticket_quota_ticket', unit.ticket);
  if (quota < 1) return { taken: false, why: 'quota' };
  const fullUs = booked(known?.fullUs ?? 0, rate);
  const open = known === null || (known.taken < quota && known.closedAt === null);
  if (!open || fullUs === null) return takingRefused(known ?? unused(unit.ticket), quota);
  const row = { ...(known ?? unused(unit.ticket)), fullUs, taken: (known?.taken ?? 0) + 1 };
  if (known === null) tickets.insert(row, undo);
  else tickets.replace(known, row, undo);
  units.insert(unit, undo);
  return { taken: true };
}

function unused(ticket: string): TicketRow {
  return { ticket, taken: 0, fullUs: 0, closedAt: null };
}

function ticketUnit({ operations, records, confirmations }: FleetTables, unit: UnitRow): TicketUnit {
  const { operation, eid } = unit;
  const row = operations.find('operation_operation', operation);
  return {
    operation,
    eid,
    state: row?.state ?? 'disowned',
    ticket: row?.ticket ?? unit.ticket,
    recorded: records.find('identity_record_operation', operation) !== null,
    confirmedEpoch: confirmations.group(operation, -1)[0]?.epoch ?? 0,
  };
}
