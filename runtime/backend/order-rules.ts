/** What an order allows beside its form: quota and rate, one unit at a time in a nest, no revoked station. */
import { Fault } from '../core/faults.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import { instantOf } from '../core/instant.ts';
import type { TicketPayload } from '../core/messages/ticket.ts';
import { goOnMs, rateOf } from '../core/orders/rate.ts';
import type { FleetTransaction, OperationRow, RevokedStationRow } from '../core/store/fleet.ts';
import type { NestRow, TicketRow } from '../core/store/orders.ts';

/** @throws Fault STATION_REVOKED */
export function demandStation(revoked: RevokedStationRow | null): void {
  if (revoked !== null)
    throw new Fault('STATION_REVOKED', { station: revoked.station, since: revoked.since });
}

/** @throws Fault TICKET_CLOSED */
export function demandOpen(row: TicketRow | null): void {
  if (row !== null && row.closedAt !== null)
    throw new Fault('TICKET_CLOSED', { ticket: row.ticket, closedAt: row.closedAt });
}

/** Takes a unit of the order for an operation. @throws Fault QUOTA_EXHAUSTED, RATE_EXCEEDED, TICKET_CLOSED */
export async function takeUnit(
  tx: FleetTransaction,
  { ticket, quota, ...order }: TicketPayload,
  unit: { readonly operation: string; readonly eid: string },
  nowMs: number,
): Promise<void> {
  const rate = rateOf(order, nowMs);
  const taking = await tx.takeUnit({ ticket, operation: unit.operation, eid: unit.eid }, { quota, rate });
  if (taking.taken) return;
  switch (taking.why) {
    case 'quota':
      throw new Fault('QUOTA_EXHAUSTED', { ticket, quota });
    case 'closed':
      throw new Fault('TICKET_CLOSED', { ticket });
    case 'rate':
      throw new Fault('RATE_EXCEEDED', { ticket, goOnAt: instantOf(goOnMs(taking.fullUs, rate)) });
  }
}

export interface NestDemand {
  /** What is known of the nest, read behind the lock of its controller. */
  readonly row: NestRow | null;
  /** Verified. */
  readonly report: ControllerReport;
  /** The operation that is reserved; null for a new one. */
  readonly operation: string | null;
  /** The operation whose unit has left, as this report says first. */
  readonly departed: string | null;
  /** Whether a gate controller numbers the arrivals; a plain gate's numbers are its station's word. */
  readonly numbered: boolean;
}

/** A nest holds one unit: while its reservation is live and its arrival has not ended, no other gets one there.
 * @throws Fault NEST_OCCUPIED */
export async function demandNest(tx: FleetTransaction, demand: NestDemand): Promise<void> {
  const { row, report, operation, departed, numbered } = demand;
  if (row === null || row.operation === operation || row.operation === departed) return;
  const ended = numbered ? report.arrival > row.arrival : report.arrival !== row.arrival;
  if (ended) return;
  const other = await tx.operationById(row.operation);
  if (other === null || !isLive(other)) return;
  const { nest, arrival, controller } = row;
  throw new Fault('NEST_OCCUPIED', { controller, nest, arrival, operation: row.operation });
}

/** Whoever is reserved in a nest has it from this arrival on. */
export async function occupy(
  tx: FleetTransaction,
  row: NestRow | null,
  report: ControllerReport,
  operation: string,
): Promise<void> {
  const { controller, nest } = report;
  const arrival = row?.operation === operation ? Math.max(row.arrival, report.arrival) : report.arrival;
  const same = row?.operation === operation && row.arrival === arrival;
  if (!same) await tx.putNest({ controller, nest, arrival, operation });
}

function isLive({ state }: OperationRow): boolean {
  return state === 'reserved' || state === 'recorded';
}
