/** A round trip to another process that sleeps in between: what every step of a unit is built on. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { median } from './median.ts';

const ROUNDS = 300;
/** Long enough that both processes are asleep when the next one starts. */
const PAUSE_MS = 3;

/** Milliseconds, the middle of all, over a pipe between two Node processes. */
export async function roundTripMs(): Promise<number> {
  const child = fork(fileURLToPath(new URL('./echo-child.js', import.meta.url)), {
    serialization: 'advanced',
  });
  try {
    const times: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      await sleep(PAUSE_MS);
      const begun = performance.now();
      const answered = once(child, 'message');
      child.send({ round: i });
      await answered;
      times.push(performance.now() - begun);
    }
    return median(times);
  } finally {
    child.disconnect();
  }
}
