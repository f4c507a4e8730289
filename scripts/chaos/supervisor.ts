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

/** Resolves when the part is at work for the first time. */
export async function supervise(name: string, start: () => Promise<Incarnation>): Promise<Part> {
  const recoveriesMs: number[] = [];
  const refusals: string[] = [];
  const state = {
    ends: 0,
    upSince: 0,
    held: false,
    starting: false,
    over: false,
    killedAt: null as number | null,
  };
  let running: Incarnation | null = await start();
  state.upSince = performance.now();
  const again = async (): Promise<Incarnation | null> => {
    while (!state.over) {
      if (!state.held)
        try {
          state.starting = true;
          return await start();
        } catch (error) {
          refusals.splice(0, refusals.length - REFUSALS_MAX + 1);
          refusals.push(error instanceof Error ? error.message : String(error));
        } finally {
          state.starting = false;
        }
      await sleep(RESTART_MS);
    }
    return null;
  };
  const watch = async (): Promise<void> => {
    while (running !== null) {
      await running.ended;
      running = null;
      state.ends += 1;
      if (state.over) return;
      await sleep(RESTART_MS);
      running = await again();
      state.upSince = performance.now();
      if (state.killedAt !== null) recoveriesMs.push(Math.round(state.upSince - state.killedAt));
      state.killedAt = null;
    }
  };
  const watching = watch();
  const pid = (): number => {
    if (running === null) throw new RangeError(`${name} does not run`);
    return running.pid;
  };
  return {
    name,
    pid,
    runs: () => running !== null,
    ends: () => state.ends,
    upSince: () => state.upSince,
    recoveriesMs,
    refusals,
    kill: () => {
      state.killedAt = performance.now();
      signal(pid(), 'SIGKILL');
    },
    restart: async () => running?.stop(),
    whileDown: async (work) => {
      state.held = true;
      try {
        await until(() => !state.starting, READY_DEADLINE_MS);
        await running?.stop();
        await work();
      } finally {
        state.held = false;
      }
    },
    ready: async () => {
      if (await until(() => running !== null, READY_DEADLINE_MS)) return;
      throw new Error(`${name} did not come back: ${refusals.at(-1) ?? 'it was never started'}`);
    },
    retire: async () => {
      state.over = true;
      await running?.stop();
      await watching;
    },
  };
}
