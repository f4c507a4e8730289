/**
 * The rate of an order: a token bucket, kept as one number, the moment when the bucket is full again. A unit may be
 * reserved while that moment is no further away than the bucket is deep.
 *
 * @see ITU-T I.371, generic cell rate algorithm, as virtual scheduling
 */
import type { Order } from '../messages/ticket.ts';

/** Takt times 1.2: a line may catch up a little, and no more. */
export const RATE_ALLOWANCE = { times: 6, per: 5 } as const;

const HOUR_US = 3_600_000_000;
/** What may come at once, as a share of an hour: a minute's units, and one for each station at least. */
const BURSTS_PER_HOUR = 60;

/** How the store judges; microseconds. */
export interface Rate {
  /** Milliseconds since 1970, of the backend's clock, times 1000. */
  readonly nowUs: number;
  /** What one unit takes. */
  readonly unitUs: number;
  /** How far ahead the bucket may be booked before a unit is refused. */
  readonly depthUs: number;
}

export function rateOf(order: Pick<Order, 'unitsPerHour' | 'stations'>, nowMs: number): Rate {
  const perHour = (order.unitsPerHour * RATE_ALLOWANCE.times) / RATE_ALLOWANCE.per;
  const unitUs = Math.floor(HOUR_US / perHour);
  const burst = Math.max(order.stations.length, Math.ceil(perHour / BURSTS_PER_HOUR));
  return { nowUs: nowMs * 1000, unitUs, depthUs: (burst - 1) * unitUs };
}

/** Books one unit. @param fullUs when the bucket is full again; 0 for a ticket that was never used
 * @returns the same after the unit; null when it must wait, until `goOnMs` */
export function booked(fullUs: number, { nowUs, unitUs, depthUs }: Rate): number | null {
  return fullUs - nowUs > depthUs ? null : Math.max(fullUs, nowUs) + unitUs;
}

/** Milliseconds since 1970: when a unit that had to wait may go on. */
export function goOnMs(fullUs: number, { depthUs }: Rate): number {
  return Math.ceil((fullUs - depthUs) / 1000);
}
