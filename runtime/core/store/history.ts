/** How the fleet store finds what the log says of a unit, and units by who had a part in them. */
import type { TraceKey, TraceRow } from '../history/trace.ts';
import type { LeafRow, OperationRow } from './fleet.ts';
import type { RevocationRow, UnitCertificateRow } from './revocation.ts';

/** From `from` on and before `to`; null: without an end. */
export interface Span {
  readonly from: string | null;
  readonly to: string | null;
}

/** What changes nothing. Traces are written with the leaves themselves. */
export interface HistoryVerbs {
  /** Leaves about a unit that were written before or at `at`, in order. */
  leavesAbout(eid: string, at: string, limit: number): Promise<readonly LeafRow[]>;
  /** In the order of their leaves. */
  tracesBy(key: TraceKey, value: string, span: Span, limit: number): Promise<readonly TraceRow[]>;
  /** Registered certificates of the units that `tracesBy` finds, by serial. */
  certificatesTraced(
    key: TraceKey,
    value: string,
    span: Span,
    limit: number,
  ): Promise<readonly UnitCertificateRow[]>;
  /** Operations that are reserved and neither recorded nor rejected, in their order. */
  openOperations(limit: number): Promise<readonly OperationRow[]>;
  /** Names of tickets that were used and are not closed. */
  openTickets(limit: number): Promise<readonly string[]>;
  /** Of each unit of a ticket with which officers did something the leaf of the last. */
  lifeLeavesOf(ticket: string): Promise<readonly LeafRow[]>;
  /** Those of these certificates that are revoked by themselves. */
  revocationsAmong(serials: readonly string[]): Promise<readonly RevocationRow[]>;
}
