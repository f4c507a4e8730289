/** What tests of the token's processes share: who runs, and waiting until one answers again. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const TRIES_MAX = 200;

/** Processes that this test has started and that still run. */
export function children(): readonly number[] {
  const text = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Calls until it succeeds: a process is being started. */
export async function eventually<Result>(action: () => Promise<Result>): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (attempt > TRIES_MAX) throw error;
      await sleep(25);
    }
  }
}
