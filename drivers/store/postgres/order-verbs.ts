/** Orders in the fleet database: the verbs as statements. */
import type {
  NestRow,
  OrderVerbs,
  Taking,
  TicketRow,
  UnitLimits,
  UnitRow,
} from '../../../runtime/core/store/orders.ts';
import { takingRefused } from '../taking.ts';
import { InvisibleRowError } from './failure.ts';
import { nests, orders, type StoredUnit } from './order-statements.ts';
import type { Session } from './session.ts';
import { valuesOf } from './table.ts';

export function orderVerbs(session: Session): Omit<OrderVerbs, 'revokedStation'> {
  const ticket = async (name: string): Promise<TicketRow | null> =>
    (await session.rows<TicketRow>(orders.ticket, [name]))[0] ?? null;
  return {
    ticket,
    lockTicket: async (name) => (await session.rows<TicketRow>(orders.lockTicket, [name]))[0] ?? null,
    takeUnit: (unit, limits) => takeUnit(session, unit, limits, ticket),
    hasUnit: async (name, operation) => (await session.rows(orders.hasUnit, [name, operation])).length === 1,
    ticketUnits: async (name, after, limit) =>
      (await session.rows<StoredUnit>(orders.ticketUnits, [name, after, limit])).map(
        ({ records, ...unit }) => ({ ...unit, recorded: records > 0 }),
      ),
    closeTicket: async (name, closedAt) => (await session.count(orders.closeTicket, [name, closedAt])) === 1,
    nest: async (controller, nest) =>
      (await session.rows<NestRow>(orders.nest, [controller, nest]))[0] ?? null,
    putNest: async (row) => {
      await session.count(orders.putNest, valuesOf(nests, row));
    },
  };
}

async function takeUnit(
  session: Session,
  { ticket, operation, eid }: UnitRow,
  { quota, rate }: UnitLimits,
  find: (ticket: string) => Promise<TicketRow | null>,
): Promise<Taking> {
  const { nowUs, unitUs, depthUs } = rate;
  const took = await session.rows(orders.takeUnit, [ticket, quota, nowUs, unitUs, depthUs, operation, eid]);
  if (took.length === 1) return { taken: true };
  if (quota < 1) return { taken: false, why: 'quota' };
  const row = await find(ticket);
  if (row === null) throw new InvisibleRowError('ticket');
  return takingRefused(row, quota);
}
