/**
 * The reconciliation of a ticket while it is worked on: what the backend has of its units beside what the gateway did,
 * what officers set aside, and what the MES has counted. A difference names the unit wherever one can be named.
 */

import type { LifeState } from '../history/life.ts';
import type { LedgerUnit } from '../store/ledger.ts';
import type { TicketUnit } from '../store/orders.ts';
import { type CloseOutCounts, closeOutOf, type Difference } from './close-out.ts';

/** Good units as the MES has them: their number, or their EIDs as well. */
export interface MesCount {
  readonly count: number;
  readonly eids: readonly string[] | null;
}

export interface ReconciliationFacts {
  readonly ticket: string;
  /** Units of the quota, as the ticket’s own row counts them. */
  readonly taken: number;
  readonly units: readonly TicketUnit[];
  /** What officers made of some units, by EID. */
  readonly lives: ReadonlyMap<string, LifeState>;
  /** Null while the gateway’s statement is not at hand: then nothing is missed there. */
  readonly gateway: readonly LedgerUnit[] | null;
  readonly mes: MesCount | null;
}

export interface Reconciliation {
  readonly counts: CloseOutCounts & {
    readonly setAside: number;
    readonly scrapped: number;
    readonly mes: number | null;
  };
  readonly differences: readonly Difference[];
}

export function reconcile({
  ticket,
  taken,
  units,
  lives,
  gateway,
  mes,
}: ReconciliationFacts): Reconciliation {
  const { counts, differences } = closeOutOf(taken, units, gateway ?? units.map(asBackendHas), ticket);
  const scrapped = [...lives.values()].filter((state) => state === 'SCRAPPED').length;
  const setAside = [...lives.values()].filter(
    (state) => state === 'QUARANTINED' || state === 'REWORK',
  ).length;
  return {
    counts: { ...counts, setAside, scrapped, mes: mes?.count ?? null },
    differences: [...differences, ...mesDifferences(mes, units, ticket)],
  };
}

function asBackendHas({ operation, eid, confirmedEpoch }: TicketUnit): LedgerUnit {
  return { operation, eid, derived: confirmedEpoch > 0, confirmedEpoch, verdictEpoch: 0 };
}

/** The MES counts what it has seen leave by the good lane, whatever became of it since. */
function mesDifferences(
  mes: MesCount | null,
  units: readonly TicketUnit[],
  ticket: string,
): readonly Difference[] {
  if (mes === null) return [];
  const released = units.filter((unit) => unit.ticket === ticket && unit.state === 'released');
  if (mes.eids === null)
    return mes.count === released.length
      ? []
      : [
          {
            operation: '',
            eid: '',
            missing: `the MES counts ${mes.count} good units, ${released.length} have left`,
          },
        ];
  const told = new Set(mes.eids);
  const left = new Set(released.map(({ eid }) => eid));
  return [
    ...released
      .filter(({ eid }) => !told.has(eid))
      .map(({ operation, eid }) => ({ operation, eid, missing: 'it has left, the MES does not count it' })),
    ...[...told]
      .filter((eid) => !left.has(eid))
      .map((eid) => ({ operation: '', eid, missing: 'the MES counts it, it has not left by the good lane' })),
  ];
}
