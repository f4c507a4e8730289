/**
 * How leaves are found again: for each leaf about a unit one row with the unit, and where keys or a certificate may
 * have got onto its chip, with everybody who had a part in that. A projection of the leaves and nothing more: it can
 * be made again from them at any time.
 */
import { toText } from '../bytes.ts';
import type { LeafRow } from '../store/fleet.ts';

/** By whom or what units are looked for. */
export const traceKeys = [
  'station',
  'operator',
  'ticket',
  'intermediate',
  'gateway',
  'generation',
  'software',
] as const;
export type TraceKey = (typeof traceKeys)[number];

export interface TraceRow {
  readonly leafIndex: number;
  /** 0; 1 for the place that a unit was moved away from, which may have begun on it. */
  readonly part: number;
  readonly kind: string;
  /** When the backend wrote the leaf; for part 1 when the other place had reserved it. */
  readonly at: string;
  readonly eid: string;
  readonly operation: string;
  readonly station: string | null;
  readonly operator: string | null;
  readonly ticket: string | null;
  readonly intermediate: string | null;
  readonly gateway: string | null;
  readonly generation: number | null;
  readonly keyVersion: number | null;
  readonly software: string | null;
  readonly certificateSerial: string | null;
}

const kinds: ReadonlySet<string> = new Set([
  'registration',
  'confirmation',
  'rejection',
  'appearance',
  'station-event',
  'unit-life',
]);

type Members = Readonly<Record<string, unknown>>;

/** None for a leaf that is about no unit. */
export function tracesOf({ index, entry }: Pick<LeafRow, 'index' | 'entry'>): readonly TraceRow[] {
  const said = read(entry);
  if (said === null || !kinds.has(said.kind)) return [];
  const { kind, at, body } = said;
  const about = kind === 'station-event' ? members(body.departure) : body;
  const known = members(body.known);
  const eid = text(about.eid);
  if (eid === null) return [];
  const row = { leafIndex: index, part: 0, kind, at, eid, ...NOBODY };
  const operation = text(about.operation) ?? text(known.operation) ?? '';
  if (kind === 'registration' || kind === 'confirmation' || kind === 'rejection')
    return [{ ...row, operation, ...handsIn(body) }];
  const wasMoved = kind === 'appearance' && typeof body.epoch === 'number' && text(known.station) !== null;
  if (!wasMoved) return [{ ...row, operation }];
  const left = {
    station: text(known.station),
    ticket: text(known.ticket),
    at: text(known.attemptedAt) ?? at,
  };
  return [
    { ...row, operation },
    { ...row, operation, ...left, part: 1 },
  ];
}

const NOBODY = {
  station: null,
  operator: null,
  ticket: null,
  intermediate: null,
  gateway: null,
  generation: null,
  keyVersion: null,
  software: null,
  certificateSerial: null,
} as const;

/** Nobody's, where a unit was rejected before any key was sent. */
function handsIn(body: Members): Omit<TraceRow, 'leafIndex' | 'part' | 'kind' | 'at' | 'eid' | 'operation'> {
  const certificate = members(body.certificate);
  const revocation = members(body.revocation);
  const touched: readonly unknown[] = Array.isArray(revocation.keyVersions) ? revocation.keyVersions : [];
  if (body.revocation !== undefined && touched.length === 0) return NOBODY;
  return {
    station: text(body.station),
    operator: text(body.operator),
    ticket: text(body.ticket),
    intermediate: text(certificate.issuer),
    gateway: text(body.gateway),
    generation: number(body.generation) ?? number(revocation.generation),
    keyVersion: number(body.keyVersion) ?? number(touched.at(-1)),
    software: text(body.stationSoftware),
    certificateSerial: text(certificate.serial),
  };
}

function read(entry: LeafRow['entry']): { kind: string; at: string; body: Members } | null {
  try {
    const said = JSON.parse(toText(entry)) as Members;
    const [kind, at] = [text(said.kind), text(said.at)];
    return kind === null || at === null ? null : { kind, at, body: members(said.body) };
  } catch {
    return null; // Not a leaf of ours: it is about no unit.
  }
}

function members(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
