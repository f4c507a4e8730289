/** The events of one unit up to an instant, from what a fleet store finds of it: its leaves, and what revoked it. */
import type { LeafRow } from '../store/fleet.ts';
import type { RevocationRow, RevokedIssuerRow } from '../store/revocation.ts';
import { type UnitEvent, unitEventOf } from './unit-event.ts';

/** Leaves of one unit that are read: more than any honest life has. */
export const UNIT_LEAVES_MAX = 10_000;

export interface UnitRows {
  /** Those about the unit that were written before or at the instant. */
  readonly leaves: readonly LeafRow[];
  /** Of its certificates, at any time. */
  readonly revocations: readonly RevocationRow[];
  readonly fallen: readonly RevokedIssuerRow[];
}

/** Serial numbers of every certificate that the leaves name; what else is to be looked up follows from them. */
export function serialsIn(leaves: readonly LeafRow[]): readonly string[] {
  return leaves.map(unitEventOf).flatMap((event) => {
    if (event?.kind === 'injected') return event.injection.certificate?.serial ?? [];
    return event?.kind === 'rejected' ? event.certificateSerials : [];
  });
}

/** In the order of the log. A revocation is told as far as it is about this unit or an intermediate. */
export function unitHistoryOf({ leaves, revocations, fallen }: UnitRows, at: string): readonly UnitEvent[] {
  const revoked = [
    ...revocations.map((row) => ({ row, serials: [row.serial], issuers: [] })),
    ...fallen.map((row) => ({ row, serials: [], issuers: [row.issuer] })),
  ].map(({ row, ...whom }): UnitEvent => {
    const { leafIndex, revokedAt, plan, reason } = row;
    return { kind: 'revoked', leafIndex, at: revokedAt, plan, reason, ...whom };
  });
  return [...leaves.flatMap((leaf) => unitEventOf(leaf) ?? []), ...revoked]
    .filter((event) => event.at <= at)
    .sort((a, b) => a.leafIndex - b.leafIndex);
}
