/** Simulated time that passes because somebody waits for something. */
import type { SimulatedClock } from '../../drivers/clock/simulated.ts';

/** Lets simulated time pass until `work` settles. @throws Error when nothing is left that could settle it */
export async function driven<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  while (!settled)
    if (!(await clock.runNext()) && !settled)
      return Promise.race([done, Promise.reject(new Error('nothing left to happen'))]);
  return done;
}
