/** How long anything is waited for, and how often it is tried: no wait without an end. */

export interface Retry {
  /** Longest wait for one answer. */
  readonly waitMs: number;
  /** How often the same request is sent before the unit is held. */
  readonly attemptsMax: number;
}

export const deadlines = {
  /** The backend commits a transaction. */
  reserve: { waitMs: 2_000, attemptsMax: 3 },
  journalHead: { waitMs: 2_000, attemptsMax: 3 },
  /** Twice for one sign-in: a person waits. */
  signIn: { waitMs: 2_000, attemptsMax: 2 },
  register: { waitMs: 2_000, attemptsMax: 4 },
  /** The gateway works in its HSM; the card's own time is waited for at the station. */
  dialogue: { waitMs: 3_000, attemptsMax: 3 },
  /** The gate controller shuts an open gate by itself. */
  gateRest: { waitMs: 100, attemptsMax: 80 },
  events: { waitMs: 5_000, attemptsMax: 1 },
} as const satisfies Record<string, Retry>;

/** How often a station asks the gate controller by itself: a word lost on the wire stops no line for longer. */
export const GATE_LOOK_MS = 2_000;

/** How often a unit may stay at its open gate until the gate shuts, before it is held. */
export const GATE_TRIES_MAX = 3;

/** A held unit is tried again after `firstMs`, then twice as long each time, up to `maxMs`. */
export const resumption = { firstMs: 300, maxMs: 30_000 } as const;

/** Wait before try number `attempt` (from 0). */
export function resumptionDelayMs(attempt: number): number {
  return Math.min(resumption.maxMs, resumption.firstMs * 2 ** Math.min(attempt, 20));
}
