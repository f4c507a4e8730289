import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { clockContract } from './clock.contract.ts';

describe('the clock of this machine', () => {
  clockContract(() => ({ clock: openSystemClock(), pass: (ms) => sleep(ms) }));
});

describe('the simulated clock', () => {
  clockContract(() => {
    const clock = createSimulatedClock(Date.UTC(2026, 0));
    return {
      clock,
      pass: async (ms) => {
        const until = clock.monotonicMs() + ms;
        clock.after(ms, () => undefined);
        while (await clock.runNext(until));
      },
    };
  });
});
