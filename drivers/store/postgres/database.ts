/**
 * A pool of connections to one PostgreSQL database, and transactions on it that are repeated when the
 * database asks for that. Every wait has a deadline; a connection whose state is not known is destroyed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { asFault, type Fault } from '../../../runtime/core/faults.ts';
import { repetitionsMax, type UnavailableCode, unavailable } from '../transaction-outcome.ts';
import {
  DeadlineError,
  type Failure,
  failureOf,
  InvisibleRowError,
  sqlState,
  systemCode,
} from './failure.ts';
import { assertSafe, SAFETY_QUERY, type SafetyRow } from './safety.ts';
import { openSession, type Session, type Statement, within } from './session.ts';
import { typeParsers } from './types.ts';

export interface PostgresOptions {
  /** PostgreSQL URL; the directory of a Unix socket may be the host:
   * `postgresql:///fleet?host=/run/postgresql&user=holdfast`. */
  readonly url: string;
  /** Longest run of one statement; a lock is waited for three quarters of it. */
  readonly statementTimeoutMs: number;
  /** Longest wait for a connection, new or from the pool. */
  readonly connectTimeoutMs: number;
  /** Most connections at a time. */
  readonly poolMax: number;
  /** Told of settings that are allowed but unwise (`data_checksums`), once per setting. */
  readonly onWarning?: (setting: string) => void;
}

export interface DatabaseOptions extends PostgresOptions {
  /** Shown by the server in its list of sessions. */
  readonly applicationName: string;
  readonly unavailableCode: UnavailableCode;
}

export interface Database {
  /** Resolves after COMMIT. `work` runs again from the start when the database asks for that.
   * @throws Fault with `unavailableCode`; STORE_UNSAFE; whatever `work` throws, after ROLLBACK */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** One statement that is a transaction of its own, in one round trip. It may be run twice: also when its
   * answer was lost. */
  single<Row>(statement: Statement, values?: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** The client's own deadline is later than the server's by this: the server's answer says more. */
const DEADLINE_MARGIN_MS = 250;
/** A transaction of which nothing is heard for this many statement time-outs is rolled back by the server. */
const IDLE_STATEMENTS = 2;
const KEEPALIVE_DELAY_MS = 10_000;
/** Transactions that wait for a connection. */
const WAITING_MAX = 4096;
/** Wait before the first repetition; twice as long each time, up to the maximum, times a random fraction. */
const PAUSE_FIRST_MS = 4;
const PAUSE_MAX_MS = 250;

type Attempt<T> =
  | { readonly done: true; readonly value: T }
  | { readonly done: false; readonly failure: Failure };

/** Connects to nothing yet. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { unavailableCode: code } = options;
  const deadlineMs = options.statementTimeoutMs + DEADLINE_MARGIN_MS;
  const clients = new Set<PoolClient>();
  const warned = new Set<string>();
  const pool = await createPool(options, (client) => checkServer(client, options, warned));
  pool.on('connect', (client) => clients.add(client));
  pool.on('remove', (client) => clients.delete(client));
  pool.on('error', () => undefined); // An idle connection died; the pool has dropped it and opens another.

  const connect = async (): Promise<PoolClient> => {
    if (pool.waitingCount >= WAITING_MAX) throw unavailable(code, 'absent', { why: 'too many wait' });
    try {
      return await pool.connect();
    } catch (error) {
      throw asFault(error, code, { outcome: 'absent', why: sqlState(error) ?? systemCode(error) });
    }
  };
  const attempt = async <T>(
    work: (session: Session) => Promise<T>,
    transaction: boolean,
  ): Promise<Attempt<T>> => {
    const session = openSession({ client: await connect(), deadlineMs, transaction });
    try {
      const value = await Promise.race([work(session), session.lost]);
      const failure = transaction ? await session.commit() : session.failure();
      if (failure === null) return { done: true, value };
      await session.rollback();
      return { done: false, failure };
    } catch (error) {
      const failure = session.failure() ?? (error instanceof InvisibleRowError ? failureOf(error) : null);
      await session.rollback();
      if (failure === null) throw error; // The work itself refused.
      return { done: false, failure };
    } finally {
      session.release();
    }
  };
  const repeat = async <T>(work: (session: Session) => Promise<T>, transaction: boolean): Promise<T> => {
    const seen = { serialization: 0, conflict: 0, lost: 0 };
    for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(PAUSE_MAX_MS, 2 * pauseMs)) {
      const outcome = await attempt(work, transaction);
      if (outcome.done) return outcome.value;
      const { kind } = outcome.failure;
      if (kind === 'refused' || kind === 'unknown' || seen[kind]++ >= repetitionsMax[kind])
        throw faultOf(transaction ? outcome.failure : ofSingle(outcome.failure), code);
      await sleep(pauseMs * Math.random());
    }
  };
  return {
    transaction: (work) => repeat(work, true),
    single: (statement, values) => repeat((session) => session.rows(statement, values), false),
    close: async () => {
      if (pool.ending) return;
      const ended = pool.end();
      await Promise.race([ended, sleep(deadlineMs, undefined, { ref: false })]);
      for (const client of clients) client.connection.stream.destroy();
    },
  };
}

async function createPool(
  options: DatabaseOptions,
  onConnect: (client: PoolClient) => Promise<void>,
): Promise<Pool> {
  const { Pool, types } = await import('pg');
  return new Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.poolMax,
    connectionTimeoutMillis: options.connectTimeoutMs,
    idleTimeoutMillis: 0, // Connections stay: a new one costs more than ten transactions.
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_DELAY_MS,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: Math.ceil(options.statementTimeoutMs * 0.75),
    idle_in_transaction_session_timeout: options.statementTimeoutMs * IDLE_STATEMENTS,
    pipeline: true,
    types: typeParsers(types),
    // The pool waits for the promise, though its types do not say so.
    onConnect: onConnect as (client: unknown) => void,
  });
}

/** @throws Fault STORE_UNSAFE */
async function checkServer(client: PoolClient, options: DatabaseOptions, warned: Set<string>): Promise<void> {
  const { rows } = await within(client, client.query<SafetyRow>(SAFETY_QUERY), options.connectTimeoutMs);
  for (const row of rows)
    for (const setting of assertSafe(row)) {
      if (!warned.has(setting)) options.onWarning?.(setting);
      warned.add(setting);
    }
}

/** A lone statement commits by itself: once the connection is lost, or late, its outcome is not known. */
function ofSingle(failure: Failure): Failure {
  const inDoubt = failure.kind === 'lost' || failure.cause instanceof DeadlineError;
  return inDoubt ? { ...failure, kind: 'unknown' } : failure;
}

function faultOf(failure: Failure, code: UnavailableCode): Fault {
  const outcome =
    failure.kind === 'unknown' ? 'unknown' : failure.kind === 'conflict' ? 'conflict' : 'absent';
  return unavailable(code, outcome, failure.context, failure.cause);
}
