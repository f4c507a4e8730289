/**
 * What an error of `pg` means for the transaction it met.
 *
 * @see PostgreSQL 15 Appendix A, error codes
 */
import type { FaultContext } from '../../../runtime/core/faults.ts';

export type Failure =
  /** Run the whole transaction again. */
  | { readonly kind: 'serialization'; readonly context: FaultContext; readonly cause: unknown }
  | { readonly kind: 'conflict'; readonly context: FaultContext; readonly cause: unknown }
  /** The connection is gone, and COMMIT was not sent. */
  | { readonly kind: 'lost'; readonly context: FaultContext; readonly cause: unknown }
  /** The server refused, or the deadline passed: time-out, disk full, no such table. */
  | { readonly kind: 'refused'; readonly context: FaultContext; readonly cause: unknown }
  /** COMMIT was sent, and what became of it is not known. */
  | { readonly kind: 'unknown'; readonly context: FaultContext; readonly cause: unknown };

/** No answer in time; the connection was destroyed. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** Neither inserted nor found: under snapshot isolation a colliding row may be invisible. Run it again. */
export class InvisibleRowError extends Error {
  override readonly name = 'InvisibleRowError';
}

/** serialization_failure, deadlock_detected. */
const REPEAT = new Set(['40001', '40P01']);
const UNIQUE_VIOLATION = '23505';
/** The session ends with these, through no fault of the work: connection exceptions, operator intervention. */
const SESSION_ENDS = /^(?:08...|57P..)$/;

export function failureOf(error: unknown): Failure {
  if (error instanceof InvisibleRowError) return { kind: 'serialization', context: {}, cause: error };
  if (error instanceof DeadlineError) return { kind: 'refused', context: { why: 'deadline' }, cause: error };
  const state = sqlState(error);
  if (state === null) return { kind: 'lost', context: { why: systemCode(error) }, cause: error };
  const context = { sqlState: state };
  if (REPEAT.has(state)) return { kind: 'serialization', context, cause: error };
  if (state === UNIQUE_VIOLATION)
    return { kind: 'conflict', context: { ...context, key: constraintOf(error) }, cause: error };
  if (SESSION_ENDS.test(state)) return { kind: 'lost', context, cause: error };
  return { kind: 'refused', context, cause: error };
}

/** As `failureOf` for the answer to COMMIT: only a plain refusal proves that nothing was stored. */
export function failureOfCommit(error: unknown): Failure {
  const failure = failureOf(error);
  if (failure.kind === 'serialization' || failure.kind === 'conflict') return failure;
  return { ...failure, kind: 'unknown' };
}

/** The code of an error that the server sent; null for an error of socket or client. */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** What the operating system said, `ECONNREFUSED`, or the client in words. */
export function systemCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

function constraintOf(error: unknown): string | null {
  const named = error instanceof Error && 'constraint' in error ? error.constraint : null;
  return typeof named === 'string' ? named : null;
}
