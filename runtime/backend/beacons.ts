/**
 * When the entries of a station's journal were written, whatever its clock says: each not before the newest statement of
 * the backend that stands at or before it in the chain, and not after the backend has it. A fixture that boots in 1970
 * is told apart and does no harm.
 */
import { isFault } from '../core/faults.ts';
import { instantMs, instantOf } from '../core/instant.ts';
import { readLeaf } from '../core/log/leaf.ts';
import { open, type Statement } from '../core/messages/envelope.ts';
import { registration, rejection, reservation } from '../core/messages/receipts.ts';
import type { EventRow } from '../core/store/fleet.ts';
import type { BackendPorts } from './ports.ts';
import type { Draft } from './sequencer.ts';

/** Clocks of a plant differ by as much, and are right. */
const CLOCKS_MS = 300_000;

interface Beacon {
  readonly of: Statement;
  readonly field: 'reservedAt' | 'registeredAt';
}

/** Facts that carry a statement of the backend with its time. */
const beacons: Readonly<Record<string, Beacon>> = {
  reserved: { of: reservation, field: 'reservedAt' },
  registered: { of: registration, field: 'registeredAt' },
  'reject-registered': { of: rejection, field: 'registeredAt' },
};

/** What a leaf says of the time of a station's event. */
export interface Interval {
  /** ISO 8601; null before the journal's first statement of the backend. */
  readonly notBefore: string | null;
  /** Whether the station's own time lies in the interval, or a little beside it. */
  readonly stationClock: 'right' | 'wrong';
}

/** Of rows that follow each other in one journal, in their order.
 * @param before what is known at the entry before the first; null where there is none */
export function intervalsOf(
  rows: readonly EventRow[],
  before: string | null,
  ports: Pick<BackendPorts, 'trusted' | 'crypto'>,
): readonly Interval[] {
  let notBefore = before;
  return rows.map(({ text, receivedAt }) => {
    const { at, fact } = JSON.parse(text) as { at: number; fact: { name: string; receipt?: unknown } };
    const told = beaconIn(fact, ports);
    if (told !== null && (notBefore === null || told > notBefore)) notBefore = told;
    const [earliest, latest] = [notBefore === null ? at : instantMs(notBefore), instantMs(receivedAt)];
    const right = at >= earliest - CLOCKS_MS && at <= latest + CLOCKS_MS;
    return { notBefore, stationClock: right ? 'right' : 'wrong' };
  });
}

/** What the leaf of a journal's last event says; null for a journal without events. */
export async function notBeforeOf(draft: Draft, head: EventRow | null): Promise<string | null> {
  if (head === null) return null;
  const key = `event/${head.journal}/${head.sequence}`;
  const entry = draft.entryOf(key) ?? (await draft.tx.leafByKey(key))?.entry;
  const said = entry === undefined ? null : readLeaf(entry)?.body.notBefore;
  return typeof said === 'string' ? said : null;
}

/** The time of a statement that a backend signed; null for every other fact, and for one that nobody signed. */
function beaconIn(
  fact: { readonly name: string; readonly receipt?: unknown },
  { trusted, crypto }: Pick<BackendPorts, 'trusted' | 'crypto'>,
): string | null {
  const beacon = beacons[fact.name];
  if (beacon === undefined || typeof fact.receipt !== 'string') return null;
  try {
    const { payload } = open(beacon.of, fact.receipt, trusted, crypto);
    const at = (payload as Readonly<Record<string, unknown>>)[beacon.field];
    // In the spelling that sorts.
    return typeof at === 'string' ? instantOf(instantMs(at)) : null;
  } catch (error) {
    if (isFault(error)) return null; // No beacon: the station judged its receipts, and the chain keeps what it wrote.
    throw error;
  }
}
