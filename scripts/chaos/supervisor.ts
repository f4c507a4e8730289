/** Starts a part of the line again whenever it ends, as systemd would, and notes how long it was away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { signal, until } from './processes.ts';

/** A part while it runs. */
export interface Incarnation {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  /** Ends it in its own orderly way. */
  stop(): Promise<void>;
}

export interface Part {
  readonly name: string;
  /** @throws RangeError while it does not run */
  pid(): number;
  runs(): boolean;
  /** How often it ended. */
  ends(): number;
  /** When it last came to work, by `performance.now()`. */
  upSince(): number;
  /** Milliseconds from each kill to ready again, the supervisor's own wait included. */
  readonly recoveriesMs: readonly number[];
  /** Ends it with SIGKILL; the supervisor brings it back. */
  kill(): void;
  /** Ends it in its own orderly way; the supervisor brings it back. */
  restart(): Promise<void>;
  /** Ends it, does the work while it is away, and lets it come back. */
  whileDown(work: () => Promise<void>): Promise<void>;
  /** @throws Error when it is not at work in time */
  ready(): Promise<void>;
  /** Why it could not be started, the newest last; at most 20. */
  readonly refusals: readonly string[];
  retire(): Promise<void>;
}

/** RestartSec of the stand: our units say 2 s, Debian's 0.1 s. */
const RESTART_MS = 500;
const REFUSALS_MAX = 20;
/** A part that cannot be started for so long is broken. */
const READY_DEADLINE_MS = 45_000;

/** A part as its supervisor sees it. */
interface Supervised {
  readonly start: () => Promise<Incarnation>;
  readonly recoveriesMs: number[];
  readonly refusals: string[];
  running: Incarnation | null;
  ends: number;
  upSince: number;
  killedAt: number | null;
  /** It is being started at this moment. */
  starting: boolean;
  /** It may not come back yet. */
  held: boolean;
  over: boolean;
}

/** Resolves when the part is at work for the first time. */
export async function supervise(name: string, start: () => Promise<Incarnation>): Promise<Part> {
  const part: Supervised = {
    ...{ start, recoveriesMs: [], refusals: [], running: await start(), ends: 0 },
    ...{ upSince: performance.now(), killedAt: null, starting: false, held: false, over: false },
  };
  const watching = watch(part);
  const pid = (): number => {
    if (part.running === null) throw new RangeError(`${name} does not run`);
    return part.running.pid;
  };
  return {
    name,
    pid,
    runs: () => part.running !== null,
    ends: () => part.ends,
    upSince: () => part.upSince,
    recoveriesMs: part.recoveriesMs,
    refusals: part.refusals,
    kill: () => {
      part.killedAt = performance.now();
      signal(pid(), 'SIGKILL');
    },
    restart: async () => part.running?.stop(),
    whileDown: (work) => whileDown(part, work),
    ready: async () => {
      if (await until(() => part.running !== null, READY_DEADLINE_MS)) return;
      throw new Error(`${name} did not come back: ${part.refusals.at(-1) ?? 'it was never started'}`);
    },
    retire: async () => {
      part.over = true;
      await part.running?.stop();
      await watching;
    },
  };
}

async function watch(part: Supervised): Promise<void> {
  while (part.running !== null) {
    await part.running.ended;
    part.running = null;
    part.ends += 1;
    if (part.over) return;
    await sleep(RESTART_MS);
    part.running = await startAgain(part);
    if (part.over) await part.running?.stop();
    part.upSince = performance.now();
    if (part.killedAt !== null) part.recoveriesMs.push(Math.round(part.upSince - part.killedAt));
    part.killedAt = null;
  }
}

/** Tries until it runs; null when it is not wanted any more. */
async function startAgain(part: Supervised): Promise<Incarnation | null> {
  while (!part.over) {
    if (!part.held)
      try {
        part.starting = true;
        return await part.start();
      } catch (error) {
        part.refusals.splice(0, part.refusals.length - REFUSALS_MAX + 1);
        part.refusals.push(error instanceof Error ? error.message : String(error));
      } finally {
        part.starting = false;
      }
    await sleep(RESTART_MS);
  }
  return null;
}

async function whileDown(part: Supervised, work: () => Promise<void>): Promise<void> {
  part.held = true;
  try {
    await until(() => !part.starting, READY_DEADLINE_MS);
    await part.running?.stop();
    await work();
  } finally {
    part.held = false;
  }
}
