/** What the stations reported of a unit: its visits, found from the event that names it to their ends. */

import type { JournalEntry } from '../../core/journal/entry.ts';
import { readLeaf } from '../../core/log/leaf.ts';
import type { EventRow } from '../../core/store/fleet.ts';
import type { FleetView } from '../means.ts';

/** Events of one visit: what is told in one go; a visit that is held for a day has more. */
const BACK_MAX = 64;
const FORWARD_MAX = 512;
const PER_FLIGHT = 16;
/** Events that name one EID. */
const NAMING_MAX = 200;

export interface StoryEvent {
  readonly station: string;
  readonly receivedAt: string;
  readonly entry: Pick<JournalEntry, 'sequence' | 'at' | 'fact'>;
  /** It was written not before then, by a statement of the backend; null where none is known. */
  readonly notBefore: string | null;
  readonly stationClock: 'right' | 'wrong' | null;
}

/** Oldest first, by what the backend said and had: stations' own clocks may be decades wrong. */
export async function storyOf(eid: string, view: FleetView): Promise<readonly StoryEvent[]> {
  const told = new Map<string, EventRow>();
  for (const naming of await view.eventsAbout(eid, NAMING_MAX)) {
    if (told.has(keyOf(naming))) continue;
    const visit = visitIn(naming);
    for (const row of await walk(naming, visit, -1, BACK_MAX, view)) told.set(keyOf(row), row);
    told.set(keyOf(naming), naming);
    for (const row of await walk(naming, visit, 1, FORWARD_MAX, view)) told.set(keyOf(row), row);
  }
  const events = await Promise.all([...told.values()].map((row) => eventOf(row, view)));
  const [early, late] = [-1, 1];
  const order = (a: string, b: string): number => (a === b ? 0 : a < b ? early : late);
  return events.sort(
    (a, b) =>
      order(a.notBefore ?? '', b.notBefore ?? '') ||
      order(a.receivedAt, b.receivedAt) ||
      a.entry.sequence - b.entry.sequence,
  );
}

/** With what the log says of its time; leaves of older versions say nothing. */
async function eventOf(row: EventRow, view: FleetView): Promise<StoryEvent> {
  const leaf = await view.leafByKey(`event/${row.journal}/${row.sequence}`);
  const { notBefore, stationClock } = (leaf && readLeaf(leaf.entry)?.body) ?? {};
  return {
    station: row.station,
    receivedAt: row.receivedAt,
    entry: entryOf(row),
    notBefore: typeof notBefore === 'string' ? notBefore : null,
    stationClock: stationClock === 'right' || stationClock === 'wrong' ? stationClock : null,
  };
}

/** The events of a visit before or after one, until the visit begins or ends. */
async function walk(
  from: EventRow,
  visit: string | null,
  direction: 1 | -1,
  max: number,
  view: FleetView,
): Promise<readonly EventRow[]> {
  const found: EventRow[] = [];
  for (let step = 1; step <= max; step += PER_FLIGHT) {
    const wanted = Array.from({ length: PER_FLIGHT }, (_, i) => from.sequence + direction * (step + i));
    const rows = await Promise.all(
      wanted.map((sequence) => (sequence < 0 ? null : view.event(from.station, from.journal, sequence))),
    );
    for (const row of rows) {
      if (row === null) return found;
      if (visitIn(row) !== visit) continue;
      found.push(row);
      if (BOUNDS.has(entryOf(row).fact.name)) return found;
    }
  }
  return found;
}

const BOUNDS: ReadonlySet<string> = new Set(['arrived', 'released', 'diverted', 'interrupted']);

function entryOf(row: EventRow): StoryEvent['entry'] {
  return JSON.parse(row.text) as StoryEvent['entry'];
}

function visitIn(row: EventRow): string | null {
  const { fact } = entryOf(row);
  return fact.nest === null ? null : fact.visit;
}

function keyOf({ station, journal, sequence }: EventRow): string {
  return `${station}/${journal}/${sequence}`;
}
