/**
 * The close-out of a ticket: what the gateways' ledger and the fleet store each know of its units, side by side. Where
 * they do not agree, the unit is named and what is missing where.
 */
import type { LedgerUnit } from '../store/ledger.ts';
import type { TicketUnit } from '../store/orders.ts';

export interface UnitName {
  readonly operation: string;
  readonly eid: string;
}

/** Units by what became of them; those after `taken` and up to `disowned` add up to it. */
export interface CloseOutCounts {
  /** Of the quota. */
  readonly taken: number;
  readonly released: number;
  /** Left by the reject lane. */
  readonly rejected: number;
  /** Rejected, and not seen to leave: to be looked for. */
  readonly quarantined: number;
  /** Neither released nor rejected. */
  readonly open: number;
  /** Continued under another ticket, which counts them. */
  readonly moved: number;
  /** Rejected in their first epoch without a proof, so that EID and chip are free again. */
  readonly disowned: number;
  /** Units whose key set the gateway derived and wrapped. */
  readonly derivations: number;
  /** Units with a confirmation, as the gateway says and as the backend has them. */
  readonly confirmations: { readonly gateway: number; readonly backend: number };
  readonly records: number;
}

export interface Difference extends UnitName {
  /** What is missing, and where. */
  readonly missing: string;
}

export interface CloseOut {
  readonly counts: CloseOutCounts;
  readonly open: readonly UnitName[];
  readonly quarantined: readonly UnitName[];
  readonly differences: readonly Difference[];
}

/** @param taken units of the quota, as the ticket's own row counts them */
export function closeOutOf(
  taken: number,
  backend: readonly TicketUnit[],
  gateway: readonly LedgerUnit[],
  ticket: string,
): CloseOut {
  const ledger = new Map(gateway.map((unit) => [unit.operation, unit]));
  const known = new Set(backend.map(({ operation }) => operation));
  const own = backend.filter((unit) => unit.ticket === ticket);
  const states = (...wanted: readonly TicketUnit['state'][]) =>
    own.filter(({ state }) => wanted.includes(state));
  const quarantined = states('rejected');
  const open = states('reserved', 'recorded');
  const unknown = gateway
    .filter(({ operation }) => !known.has(operation))
    .map((unit) => ({ ...nameOf(unit), missing: 'the gateway worked on it, the backend has no unit of it' }));
  const differences = own.flatMap((unit) =>
    missingOf(unit, ledger.get(unit.operation) ?? null).map((missing) => ({ ...nameOf(unit), missing })),
  );
  const miscounted = taken === backend.length ? [] : [quotaDifference(taken, backend.length)];
  return {
    counts: {
      taken,
      released: states('released').length,
      rejected: states('diverted').length,
      quarantined: quarantined.length,
      open: open.length,
      moved: backend.length - own.length,
      disowned: states('disowned').length,
      derivations: gateway.filter(({ derived }) => derived).length,
      confirmations: {
        gateway: gateway.filter(({ confirmedEpoch }) => confirmedEpoch > 0).length,
        backend: backend.filter(({ confirmedEpoch }) => confirmedEpoch > 0).length,
      },
      records: backend.filter(({ recorded }) => recorded).length,
    },
    open: open.map(nameOf),
    quarantined: quarantined.map(nameOf),
    differences: [...miscounted, ...unknown, ...differences],
  };
}

/** What must be where for a unit of its state. An open unit may be further at the gateway than at the backend: its
 * confirmation is on the way. */
function missingOf(unit: TicketUnit, ledger: LedgerUnit | null): readonly string[] {
  const { state, recorded, confirmedEpoch } = unit;
  const missing: string[] = [];
  if (ledger !== null && ledger.eid !== unit.eid) missing.push('the gateway has it under another EID');
  if (state === 'released' && !recorded)
    missing.push('it was released, its record is missing at the backend');
  if (recorded && confirmedEpoch === 0) missing.push('its confirmation is missing at the backend');
  if (!recorded && confirmedEpoch > 0) missing.push('it is confirmed, its record is missing at the backend');
  if (confirmedEpoch > 0 && (ledger?.confirmedEpoch ?? 0) < confirmedEpoch)
    missing.push('its confirmation is missing at the gateway');
  if (confirmedEpoch > 0 && ledger?.derived !== true)
    missing.push('the derivation of its keys is missing at the gateway');
  return missing;
}

function quotaDifference(taken: number, known: number): Difference {
  return { operation: '', eid: '', missing: `${taken} units of the quota are taken, ${known} are known` };
}

function nameOf({ operation, eid }: UnitName): UnitName {
  return { operation, eid };
}
