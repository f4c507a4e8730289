/**
 * The blast radius of an incident: exactly the units on whose chips somebody, or something, may have put keys or a
 * certificate in some time, and what is to be done about them.
 */
import type { OperationRow } from '../store/fleet.ts';
import type { Span } from '../store/history.ts';
import type { UnitCertificateRow } from '../store/revocation.ts';
import type { TraceKey, TraceRow } from './trace.ts';

/** Units in one answer, as in one plan of revocation. */
export const BLAST_UNITS_MAX = 250_000;

export interface BlastAim extends Span {
  readonly key: TraceKey;
  readonly value: string;
}

export interface BlastUnit {
  readonly eid: string;
  readonly operation: string;
  /** `recorded`: keys proved, record made. `rejected`: keys may be on it. `begun`: it was moved away or is not finished. */
  readonly how: 'recorded' | 'rejected' | 'begun';
  /** The last time within the span. */
  readonly at: string;
  readonly leafIndex: number | null;
  readonly generation: number | null;
  readonly keyVersion: number | null;
}

export interface BlastIssuer {
  readonly name: string;
  /** Certificates of units in the radius that are good. */
  readonly aimed: number;
  readonly issued: number;
  /** Units that would die with it though nobody aims at them. */
  readonly collateral: number;
}

export interface BlastRadius {
  readonly aim: BlastAim;
  readonly units: readonly BlastUnit[];
  readonly counts: Readonly<Record<BlastUnit['how'], number>>;
  /** Certificates that are good, and those that are dead already. */
  readonly revoke: readonly UnitCertificateRow[];
  readonly revokedBefore: number;
  readonly issuers: readonly BlastIssuer[];
  /** Key sets that are to be replaced, by what they were derived from. */
  readonly rotate: readonly {
    readonly generation: number | null;
    readonly keyVersion: number | null;
    readonly units: number;
  }[];
  /** Units at work just now of which nobody can say yet whether they belong here. */
  readonly undecided: number;
}

export interface BlastFacts {
  readonly aim: BlastAim;
  readonly traces: readonly TraceRow[];
  readonly open: readonly OperationRow[];
  readonly certificates: readonly UnitCertificateRow[];
  /** Serials that are revoked by themselves. */
  readonly revoked: ReadonlySet<string>;
  /** Intermediates that are revoked as a whole. */
  readonly fallen: ReadonlySet<string>;
  /** How many certificates each intermediate has issued. */
  readonly issued: ReadonlyMap<string, number>;
}

/** The same facts give the same radius. */
export function blastRadiusOf(facts: BlastFacts): BlastRadius {
  const { aim, traces, certificates } = facts;
  const units = new Map<string, BlastUnit>();
  for (const trace of traces) {
    const known = units.get(trace.operation + trace.eid);
    units.set(trace.operation + trace.eid, merged(unitOf(trace), known));
  }
  const open = facts.open.filter((row) => isWithin(row, aim));
  for (const row of open) {
    const unit = openUnit(row);
    if (belongs(row, aim) === true)
      units.set(row.operation + row.eid, merged(unit, units.get(row.operation + row.eid)));
  }
  const dead = certificates.filter(
    ({ serial, issuer }) => facts.revoked.has(serial) || facts.fallen.has(issuer),
  );
  const gone = new Set(dead);
  const revoke = certificates.filter((row) => !gone.has(row));
  const all = [...units.values()];
  return {
    aim,
    units: all,
    counts: {
      recorded: counted(all, 'recorded'),
      rejected: counted(all, 'rejected'),
      begun: counted(all, 'begun'),
    },
    revoke,
    revokedBefore: dead.length,
    issuers: issuersOf(revoke, certificates, facts),
    rotate: rotationsOf(all),
    undecided: open.filter((row) => belongs(row, aim) === null && !units.has(row.operation + row.eid)).length,
  };
}

function unitOf({ eid, operation, kind, at, leafIndex, generation, keyVersion }: TraceRow): BlastUnit {
  const how = kind === 'rejection' ? 'rejected' : kind === 'appearance' ? 'begun' : 'recorded';
  return { eid, operation, how, at, leafIndex, generation, keyVersion };
}

function openUnit({ eid, operation, attemptedAt: at, generation, keyVersion }: OperationRow): BlastUnit {
  return { eid, operation, how: 'begun', at, leafIndex: null, generation, keyVersion };
}

const weight = { begun: 0, rejected: 1, recorded: 2 } as const;

/** What says most of it; at the same weight the later. */
function merged(unit: BlastUnit, known: BlastUnit | undefined): BlastUnit {
  return known === undefined || weight[unit.how] >= weight[known.how] ? unit : known;
}

function isWithin({ attemptedAt }: OperationRow, { from, to }: Span): boolean {
  return (from === null || attemptedAt >= from) && (to === null || attemptedAt < to);
}

/** Whether a unit that is not finished belongs to it; null where only the confirmation will tell. */
function belongs({ station, ticket, generation }: OperationRow, { key, value }: BlastAim): boolean | null {
  if (key === 'station') return station === value;
  if (key === 'ticket') return ticket === value;
  return key === 'generation' ? String(generation) === value : null;
}

function counted(units: readonly BlastUnit[], how: BlastUnit['how']): number {
  return units.reduce((sum, unit) => sum + (unit.how === how ? 1 : 0), 0);
}

function issuersOf(
  revoke: readonly UnitCertificateRow[],
  certificates: readonly UnitCertificateRow[],
  { issued }: BlastFacts,
): readonly BlastIssuer[] {
  const aimed = tally(revoke.map(({ issuer }) => issuer));
  const inside = tally(certificates.map(({ issuer }) => issuer));
  return [...aimed.keys()].sort().map((name) => {
    const all = issued.get(name) ?? 0;
    return { name, aimed: aimed.get(name) ?? 0, issued: all, collateral: all - (inside.get(name) ?? 0) };
  });
}

function rotationsOf(units: readonly BlastUnit[]): BlastRadius['rotate'] {
  const sets = new Map<string, { generation: number | null; keyVersion: number | null; units: number }>();
  for (const { generation, keyVersion } of units) {
    const name = `${generation} ${keyVersion}`;
    const set = sets.get(name) ?? { generation, keyVersion, units: 0 };
    sets.set(name, { ...set, units: set.units + 1 });
  }
  return [...sets.values()].sort((a, b) => b.units - a.units);
}

function tally(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
