/** What both stores, PostgreSQL and the simulated one, say about a transaction that did not succeed. */
import { Fault, type FaultCode, type FaultContext } from '../../runtime/core/faults.ts';

/**
 * `absent`: nothing of it is stored. `unknown`: COMMIT was sent and its answer lost; the repetition finds out
 * by its keys. `conflict`: nothing is stored, and a repetition would meet the same unique key again.
 */
export type TransactionOutcome = 'absent' | 'unknown' | 'conflict';

/** The code that a store answers with when it did not, or may not have, stored something. */
export type UnavailableCode = Extract<FaultCode, 'STORE_UNAVAILABLE' | 'LEDGER_UNAVAILABLE'>;

/** How often work is run again before its transaction is given up. */
export const repetitionsMax = {
  /** The database asks for it: 40001, 40P01. */
  serialization: 10,
  /** Another transaction took a unique key after this one looked; the next look sees its row. */
  conflict: 3,
  /** The connection died before COMMIT: a pooled one may have been dead for long. */
  lost: 1,
} as const;

/** @param context `key` names the unique key of a conflict, `sqlState` what the server said. */
export function unavailable(
  code: UnavailableCode,
  outcome: TransactionOutcome,
  context: FaultContext = {},
  cause?: unknown,
): Fault {
  return new Fault(code, { outcome, ...context }, cause === undefined ? undefined : { cause });
}
