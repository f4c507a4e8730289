/**
 * Motions under way, by name, and the real time that passed while at least one of them was: measured from timer
 * start to timer fire, so that a benchmark can subtract exactly what the simulated machine took.
 */
import type { Clock } from '../../../runtime/core/ports.ts';

export interface Motions {
  /** Starts the motion `name`, in place of one of that name that is under way. */
  start(name: string, durationMs: number, done: () => void): void;
  cancel(name: string): void;
  /** Milliseconds with any motion since the last `restart`; overlapping motions count once. */
  movedMs(): number;
  restart(): void;
}

export function createMotions(clock: Clock): Motions {
  const moving = new Map<string, () => void>();
  let sumMs = 0;
  let sinceMs = 0;

  const end = (name: string): void => {
    if (!moving.delete(name)) return;
    if (moving.size === 0) sumMs += clock.monotonicMs() - sinceMs;
  };
  const cancel = (name: string): void => {
    moving.get(name)?.();
    end(name);
  };
  return {
    start: (name, durationMs, done) => {
      if (moving.size === 0) sinceMs = clock.monotonicMs();
      moving.get(name)?.();
      const stop = clock.after(durationMs, () => {
        end(name);
        done();
      });
      moving.set(name, stop);
    },
    cancel,
    movedMs: () => sumMs + (moving.size === 0 ? 0 : clock.monotonicMs() - sinceMs),
    restart: () => {
      sumMs = 0;
      sinceMs = clock.monotonicMs();
    },
  };
}
