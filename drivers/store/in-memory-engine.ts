/**
 * Transactions of a simulated database: one at a time, nothing visible before its commit, nothing left
 * after a failure. Inside there are only resolved promises and the clock.
 */
import assert from 'node:assert/strict';
import type { Clock } from '../../runtime/core/ports.ts';
import { type Fate, type Fates, kindFates } from './in-memory-fate.ts';
import { type Undo, UniqueKeyTaken } from './in-memory-table.ts';
import { repetitionsMax, type UnavailableCode, unavailable } from './transaction-outcome.ts';

export interface EngineOptions {
  readonly clock: Clock;
  /** Default: nothing goes wrong and nothing takes time. */
  readonly fates?: Fates;
}

/** One look at the tables, or one change. */
export type Verb = <T>(action: (undo: Undo) => T) => Promise<T>;

/** One program's connection. */
export interface Connection {
  /** Resolves after the commit; `work` runs again from the start when the fates ask for it. */
  run<T>(work: (verb: Verb) => Promise<T>): Promise<T>;
  /** The program dies: what it has not committed is forgotten, and it never hears of it again. */
  abandon(): void;
  close(): Promise<void>;
}

export interface Engine {
  connect(): Connection;
  /** While false every transaction fails, the one under way included. */
  setReachable(reachable: boolean): void;
}

/** A transaction that takes longer is rolled back: its program hangs. */
const TRANSACTION_MS_MAX = 10_000;
/** Transactions that wait for their turn. */
const WAITING_MAX = 4096;

export function createEngine(options: EngineOptions, code: UnavailableCode): Engine {
  const engine: State = {
    clock: options.clock,
    fates: options.fates ?? kindFates,
    code,
    waiting: [],
    reachable: true,
    busy: false,
    running: null,
  };
  return {
    connect: () => {
      const program: Program = { alive: true, closed: false };
      return {
        run: (work) => run(engine, program, work),
        abandon: () => {
          program.alive = false;
          if (engine.running?.program === program) engine.running.end(new Ended('abandoned'));
        },
        close: async () => {
          program.closed = true;
        },
      };
    },
    setReachable: (reachable) => {
      engine.reachable = reachable;
      if (!reachable) engine.running?.end(new Ended('fail'));
    },
  };
}

interface State {
  readonly clock: Clock;
  readonly fates: Fates;
  readonly code: UnavailableCode;
  readonly waiting: (() => void)[];
  reachable: boolean;
  busy: boolean;
  running: { readonly program: Program; readonly end: (ended: Ended) => void } | null;
}

interface Program {
  alive: boolean;
  closed: boolean;
}

/** The transaction was rolled back, for a reason of the database. */
class Ended extends Error {
  readonly ending: 'repeat' | 'fail' | 'conflict' | 'abandoned';
  /** The unique key of a conflict. */
  readonly key: string | null;
  constructor(ending: Ended['ending'], key: string | null = null) {
    super(`the transaction ended: ${ending}`);
    this.ending = ending;
    this.key = key;
  }
}

type Work<T> = (verb: Verb) => Promise<T>;
type Tried<T> = { readonly value: T } | { readonly ended: Ended };

async function run<T>(engine: State, program: Program, work: Work<T>): Promise<T> {
  const { code } = engine;
  for (let repetitions = 0; ; repetitions++) {
    if (program.closed) throw unavailable(code, 'absent', { why: 'closed' });
    const fate = engine.fates();
    const tried = await inTurn(engine, program, fate, work);
    if ('ended' in tried) {
      const { ending, key } = tried.ended;
      if (ending === 'abandoned') return never();
      if (ending === 'conflict') throw unavailable(code, 'conflict', { key });
      if (ending === 'fail' || repetitions >= repetitionsMax.serialization)
        throw unavailable(code, 'absent', { why: ending });
      continue;
    }
    await pause(engine, fate.delayMs);
    if (!program.alive) return never();
    if (fate.misfortune === 'lose-answer' || !engine.reachable) throw unavailable(code, 'unknown');
    return tried.value;
  }
}

async function inTurn<T>(engine: State, program: Program, fate: Fate, work: Work<T>): Promise<Tried<T>> {
  await pause(engine, fate.delayMs);
  if (engine.waiting.length >= WAITING_MAX)
    throw unavailable(engine.code, 'absent', { why: 'too many wait' });
  if (engine.busy) await new Promise<void>((resolve) => engine.waiting.push(resolve));
  engine.busy = true;
  try {
    if (!program.alive) return { ended: new Ended('abandoned') };
    return { value: await attempt(engine, program, fate, work) };
  } catch (error) {
    if (error instanceof Ended) return { ended: error };
    throw error;
  } finally {
    const next = engine.waiting.shift();
    engine.busy = next !== undefined;
    next?.();
  }
}

/** One try: commits, or undoes everything and throws `Ended` or what the work threw. */
async function attempt<T>(engine: State, program: Program, fate: Fate, work: Work<T>): Promise<T> {
  const undo: Undo = [];
  let ended: Ended | null = null;
  let over = false;
  let rejectCut: (error: Ended) => void = () => undefined;
  const cut = new Promise<never>((_, reject) => {
    rejectCut = reject;
  });
  const end = (error: Ended): void => {
    ended ??= error;
    rejectCut(ended);
  };
  const struck = fate.misfortune === 'repeat' || fate.misfortune === 'fail' ? fate.misfortune : null;
  let verbs = 0;
  const verb: Verb = async (action) => {
    assert.ok(!over, 'a verb was called after its transaction had ended');
    if (struck !== null && verbs++ >= fate.afterVerbs) end(new Ended(struck));
    if (ended !== null) throw ended;
    try {
      return action(undo);
    } catch (error) {
      if (!(error instanceof UniqueKeyTaken)) throw error;
      end(new Ended('conflict', error.key));
      throw ended ?? error;
    }
  };
  engine.running = { program, end };
  const cancel = engine.clock.after(TRANSACTION_MS_MAX, () => end(new Ended('fail')));
  try {
    if (!engine.reachable) throw new Ended('fail');
    const value = await Promise.race([work(verb), cut]);
    if (struck !== null) end(new Ended(struck));
    if (ended !== null) throw ended;
    return value;
  } catch (error) {
    for (const revert of undo.reverse()) revert();
    throw ended ?? error;
  } finally {
    over = true;
    engine.running = null;
    cancel();
  }
}

function pause(engine: State, delayMs: number): Promise<void> {
  if (delayMs === 0) return Promise.resolve();
  return new Promise((resolve) => engine.clock.after(delayMs, resolve));
}

/** A program that is dead waits for nothing and hears of nothing. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}
