/**
 * One transaction on one connection. BEGIN travels with the first statement; statements sent together share
 * one flight; the first failure decides what becomes of the transaction, whatever the work makes of it.
 */
import assert from 'node:assert/strict';
import type { PoolClient, QueryConfig, QueryResult } from 'pg';
import { DeadlineError, type Failure, failureOf, failureOfCommit } from './failure.ts';

/** A statement with a name is parsed and planned once per connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

export interface Session {
  /** Rows as the statement names their columns. */
  rows<Row>(statement: Statement, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** How many rows the statement inserted, updated or deleted. */
  count(statement: Statement, values?: readonly unknown[]): Promise<number>;
}

export interface OpenSession extends Session {
  /** The first failure of a statement; null while there is none. */
  failure(): Failure | null;
  /** Rejects when the connection dies, so that no work outlives it. */
  readonly lost: Promise<never>;
  /** Null after COMMIT was answered with COMMIT. */
  commit(): Promise<Failure | null>;
  rollback(): Promise<void>;
  /** Gives the connection back, or destroys it when its state is not known. */
  release(): void;
}

export interface SessionOptions {
  readonly client: PoolClient;
  /** Longest wait for any answer, in ms; then the connection is destroyed. */
  readonly deadlineMs: number;
  /** False: every statement is a transaction of its own. */
  readonly transaction: boolean;
}

/** Read committed on purpose: locked rows and unique keys keep the order, and a row that many wait for
 * (a quota, a head) is waited for, where serializable would make all but one start again. */
const BEGIN = 'begin isolation level read committed';

export function openSession(options: SessionOptions): OpenSession {
  const { client, deadlineMs, transaction } = options;
  let failure: Failure | null = null;
  let begun: Promise<unknown> | null = null;
  let over = false;
  let broken = false;
  let rejectLost: (error: unknown) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    rejectLost = reject;
  });
  const onLoss = (error?: unknown): void => {
    broken = true;
    const cause = error ?? new Error('Connection terminated');
    failure ??= failureOf(cause);
    rejectLost(cause);
  };
  client.on('error', onLoss).on('end', onLoss);
  lost.catch(() => undefined); // `failure` keeps it; nobody need wait for it.

  const ask = async (query: QueryConfig): Promise<QueryResult> => {
    try {
      return await within(client, client.query(query), deadlineMs);
    } catch (error) {
      failure ??= failureOf(error);
      if (failure.kind === 'lost' || error instanceof DeadlineError) broken = true;
      throw error;
    }
  };
  const run = async (statement: Statement, values: readonly unknown[] = []): Promise<QueryResult> => {
    assert.ok(!over, 'a verb was called after its transaction had ended');
    const first = transaction && begun === null ? ask({ text: BEGIN }) : begun;
    begun = first;
    const [result] = await Promise.all([ask({ ...statement, values: [...values] }), first]);
    return result;
  };
  return {
    rows: async (statement, values) => (await run(statement, values)).rows,
    count: async (statement, values) => (await run(statement, values)).rowCount ?? 0,
    failure: () => failure,
    lost,
    commit: async () => {
      over = true;
      if (failure !== null || begun === null) return failure;
      try {
        const { command } = await ask({ text: 'commit' });
        if (command === 'COMMIT') return null;
        return { kind: 'refused', context: { why: 'rolled back' }, cause: new Error(`answered ${command}`) };
      } catch (error) {
        return failureOfCommit(error);
      }
    },
    rollback: async () => {
      over = true;
      if (broken || begun === null) return;
      const earlier = failure;
      try {
        await ask({ text: 'rollback' });
      } catch (error) {
        broken = true; // The server rolls back when the connection goes.
        failure = earlier ?? failureOf(error);
      }
    },
    release: () => {
      over = true;
      client.release(broken);
      client.off('error', onLoss).off('end', onLoss);
    },
  };
}

/** The answer, or a DeadlineError after the connection was destroyed: a half-open link answers never. */
export function within<T>(client: PoolClient, answer: Promise<T>, deadlineMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new DeadlineError(`no answer within ${deadlineMs} ms`));
      client.connection.stream.destroy();
    }, deadlineMs);
    const settle = (): void => clearTimeout(timer);
    void answer.finally(settle).then(resolve, reject);
  });
}
