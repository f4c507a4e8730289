/**
 * What it means that a chip shows an EID: the one table by which the backend tells a first appearance from every
 * later one. EID and SE fingerprint are claims in clear here; the gateway has them proved under R-MAC later.
 */
import type { FaultCode } from '../faults.ts';
import type { OperationRow, OperationState } from '../store/fleet.ts';

/** How what the chip claims stands to what the fleet has bound. `disowned`: this very pair was rejected before, and
 * nothing was ever proved of it; it binds neither its EID nor its fingerprint. */
export type Pair = 'unknown' | 'same' | 'other-eid' | 'other-chip' | 'disowned';
/** How far the operation came that is known of the pair. */
export type Standing = 'none' | 'open' | 'released' | 'rejected';
/** Where and how the claim comes, seen from that operation. `repeated`: the same try once more. */
export type Coming = 'repeated' | 'here' | 'other-nest' | 'other-station';

// biome-ignore format: this is a table
const rows = [
  // pair          operation    coming            appearance    outcome    fault                    event
  ['same',        'open',      'repeated',       'repeated',   'answer',  null,                    false],
  ['same',        'open',      'here',           'resume',     'raise',   null,                    false],
  ['same',        'open',      'other-nest',     'nest-swap',  'raise',   null,                    true],
  ['same',        'open',      'other-station',  'moved',      'raise',   null,                    true],

  // An old request that arrives late says nothing about the unit: it is refused, and is no event.
  ['same',        'released',  'repeated',       'repeated',   'refuse',  'UNIT_RELEASED_BEFORE',  false],
  ['same',        'rejected',  'repeated',       'repeated',   'refuse',  'UNIT_REJECTED_BEFORE',  false],

  ['same',        'released',  'any',            'rework',     'refuse',  'UNIT_RELEASED_BEFORE',  true],
  ['same',        'rejected',  'any',            'returned',   'refuse',  'UNIT_REJECTED_BEFORE',  true],
  ['disowned',    'any',       'any',            'returned',   'refuse',  'UNIT_REJECTED_BEFORE',  true],

  // The silicon is known and its name is another: also where that name belongs to a third chip.
  ['other-eid',   'any',       'any',            'relabel',    'refuse',  'UNIT_RELABELLED',       true],
  ['other-chip',  'any',       'any',            'clone',      'refuse',  'UNIT_CLONED',           true],

  ['unknown',     'any',       'any',            'first',      'reserve', null,                    false],
] as const satisfies readonly Row[];

type Row = readonly [
  pair: Pair,
  operation: Standing | 'any',
  coming: Coming | 'any',
  appearance: string,
  outcome: 'reserve' | 'answer' | 'raise' | 'refuse',
  fault: FaultCode | null,
  event: boolean,
];

export type Appearance = (typeof rows)[number][3];
export type AppearanceOutcome = (typeof rows)[number][4];

export interface AppearanceVerdict {
  readonly appearance: Appearance;
  /** `reserve`: a new operation. `answer`: the reservation again. `raise`: its epoch, raised. */
  readonly outcome: AppearanceOutcome;
  /** Of a refusal. */
  readonly fault: FaultCode | null;
  /** Whether it is an event of its own: a leaf of the log. */
  readonly event: boolean;
}

/** The first row that fits. */
export function appearanceOf(pair: Pair, standing: Standing, coming: Coming): AppearanceVerdict {
  const row = rows.find(
    ([of, operation, come]) =>
      of === pair && (operation === 'any' || operation === standing) && (come === 'any' || come === coming),
  );
  if (row === undefined) throw new RangeError(`no row for ${pair}, ${standing}, ${coming}`);
  const [, , , appearance, outcome, fault, event] = row;
  return { appearance, outcome, fault, event };
}

/** What a station asks a reservation for. */
export interface Claim {
  readonly eid: string;
  readonly seFingerprint: string;
  readonly station: string;
  readonly nest: string;
  /** The station's name for its try. */
  readonly attempt: string;
}

/** What the fleet knows of a claim; null for nothing. */
export interface Known {
  /** The operation that has this EID. */
  readonly ofEid: OperationRow | null;
  /** The operation that has this SE fingerprint. */
  readonly ofChip: OperationRow | null;
  /** A disowned operation of this very pair. */
  readonly disowned: OperationRow | null;
  /** The operation whose unit has left by a lane, as the gate controller says first in this very request. */
  readonly departed: string | null;
}

export interface Judged extends AppearanceVerdict {
  /** The operation that the appearance is about; null for a first one. */
  readonly operation: OperationRow | null;
}

export function judgeAppearance(claim: Claim, known: Known): Judged {
  const pair = pairOf(claim, known);
  const operation = subjectOf(pair, known);
  const standing = operation === null ? 'none' : standingOf(operation, known.departed);
  return { ...appearanceOf(pair, standing, comingOf(claim, operation)), operation };
}

function pairOf(claim: Claim, { ofEid, ofChip, disowned }: Known): Pair {
  if (ofEid !== null && ofEid.seFingerprint === claim.seFingerprint) return 'same';
  if (disowned !== null) return 'disowned';
  if (ofChip !== null) return 'other-eid';
  return ofEid === null ? 'unknown' : 'other-chip';
}

function subjectOf(pair: Pair, { ofEid, ofChip, disowned }: Known): OperationRow | null {
  if (pair === 'disowned') return disowned;
  return pair === 'other-eid' ? ofChip : ofEid;
}

const standings: Readonly<Record<OperationState, Standing>> = {
  reserved: 'open',
  recorded: 'open',
  released: 'released',
  rejected: 'rejected',
  diverted: 'rejected',
};

/** A unit that is only now reported to have left is finished: by the reject lane when it was rejected. */
function standingOf({ operation, state }: OperationRow, departed: string | null): Standing {
  const standing = standings[state];
  return standing === 'open' && departed === operation ? 'released' : standing;
}

function comingOf({ station, nest, attempt }: Claim, operation: OperationRow | null): Coming {
  if (operation === null || operation.station !== station) return 'other-station';
  if (operation.nest !== nest) return 'other-nest';
  return operation.attempt === attempt ? 'repeated' : 'here';
}
