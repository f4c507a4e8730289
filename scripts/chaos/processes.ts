/** What the kernel knows of processes: who is whose child, and who still lives. proc(5) */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;

/** False for a zombie too: nobody has waited for it, but it is dead. */
export function lives(pid: number): boolean {
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat !== null && !/^\) [ZX] /.test(stat.slice(stat.lastIndexOf(')')));
}

/** The direct child whose command line contains the text; null when there is none. */
export function childWith(pid: number, text: string): number | null {
  for (const child of childrenOf(pid)) {
    const command = quietly(() => readFileSync(`/proc/${child}/cmdline`, 'utf8')) ?? '';
    if (command.includes(text)) return child;
  }
  return null;
}

export function childrenOf(pid: number): readonly number[] {
  const threads = quietly(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.flatMap((thread) =>
    (quietly(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? '')
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  );
}

/** Processes that work in a directory. */
export function processesIn(directory: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => quietly(() => readlinkSync(`/proc/${name}/cwd`)) === directory)
    .map(Number);
}

/** True when all have ended within the time. */
export async function ended(pids: readonly number[], withinMs: number): Promise<boolean> {
  return until(() => !pids.some(lives), withinMs);
}

/** Asks again and again; the last answer. */
export async function until(
  done: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs = POLL_MS,
): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (await done()) return true;
    await sleep(everyMs);
  }
  return done();
}

/** False when the process had gone already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  return quietly(() => process.kill(pid, name)) ?? false;
}

/** Null when the process ended while it was looked at. */
function quietly<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
