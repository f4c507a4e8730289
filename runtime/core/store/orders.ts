/** What the fleet store keeps of production orders: units taken, rate, nests, revoked stations. */
import type { Rate } from '../orders/rate.ts';
import type { RevokedStationRow } from './fleet.ts';

/** A ticket that was used at least once. */
export interface TicketRow {
  readonly ticket: string;
  /** Units of its quota. */
  readonly taken: number;
  /** When its bucket is full again, in microseconds since 1970. */
  readonly fullUs: number;
  /** ISO 8601; null while it is open. */
  readonly closedAt: string | null;
}

/** A unit of the quota, and the operation that took it. */
export interface UnitRow {
  readonly ticket: string;
  readonly operation: string;
  readonly eid: string;
}

export interface UnitLimits {
  readonly quota: number;
  readonly rate: Rate;
}

export type Taking =
  | { readonly taken: true }
  | { readonly taken: false; readonly why: 'quota' | 'closed' }
  | { readonly taken: false; readonly why: 'rate'; readonly fullUs: number };

/** The operation that was reserved last in a nest, and the arrival for which. */
export interface NestRow {
  readonly controller: string;
  readonly nest: string;
  readonly arrival: number;
  readonly operation: string;
}

/** How far a unit of a ticket came, as the backend knows it. */
export interface TicketUnit {
  readonly operation: string;
  readonly eid: string;
  readonly state: 'reserved' | 'recorded' | 'released' | 'rejected' | 'diverted' | 'disowned';
  /** The ticket under which it was reserved last. */
  readonly ticket: string;
  readonly recorded: boolean;
  /** The newest epoch with a confirmation; 0 for none. */
  readonly confirmedEpoch: number;
}

export interface OrderVerbs {
  ticket(ticket: string): Promise<TicketRow | null>;
  /** Whoever takes a unit of it or closes it waits. */
  lockTicket(ticket: string): Promise<TicketRow | null>;
  /** Takes a unit of the quota and books it in the bucket, or does neither. Whoever asks for the same ticket waits. */
  takeUnit(unit: UnitRow, limits: UnitLimits): Promise<Taking>;
  hasUnit(ticket: string, operation: string): Promise<boolean>;
  /** Units of a ticket in the order of their operations, behind `after`. */
  ticketUnits(ticket: string, after: string, limit: number): Promise<readonly TicketUnit[]>;
  /** Takes no unit of the ticket from here on; false when it was closed before. Locks its row. */
  closeTicket(ticket: string, closedAt: string): Promise<boolean>;

  /** Read behind the lock of its controller. */
  nest(controller: string, nest: string): Promise<NestRow | null>;
  putNest(row: NestRow): Promise<void>;

  revokedStation(station: string): Promise<RevokedStationRow | null>;
}
