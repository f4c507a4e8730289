import type { EventRow } from '../../runtime/core/store/fleet.ts';

/** An EID that occurs in an event, so that the events about a unit are found without reading all. */
export interface SubjectRow {
  readonly eid: string;
  readonly receivedAt: string;
  readonly station: string;
  readonly journal: string;
  readonly sequence: number;
}

/** Every EID in the text, once: 32 decimal digits that are no part of a longer hexadecimal number. */
export function subjectsOf(event: EventRow): readonly SubjectRow[] {
  const { receivedAt, station, journal, sequence } = event;
  const eids = new Set(event.text.match(/(?<![0-9a-f])\d{32}(?![0-9a-f])/g));
  return [...eids].map((eid) => ({ eid, receivedAt, station, journal, sequence }));
}
