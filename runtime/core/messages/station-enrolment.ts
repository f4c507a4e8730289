/**
 * Enrolment at the running plant: what makes backend and gateways believe a station's key from its next request on. The
 * request is the one that the bus authority certifies; officers approve the same hash for both.
 */
import { z } from 'zod';
import { fromHex, toHex } from '../bytes.ts';
import { Fault } from '../faults.ts';
import type { EnrolledStationRow, RevokedStationRow } from '../store/fleet.ts';
import type { Enrolment } from './enrolment.ts';
import type { TrustedKey } from './envelope.ts';
import { instant, jws } from './fields.ts';
import { instruction } from './instruction.ts';
import { ENROLLED_MAX, toldList } from './station-revocation.ts';

/** Done once: the same keys again get the same answer. */
export const enrolStation = instruction({
  name: 'enrol-station',
  to: 'backend',
  body: z.strictObject({ request: jws, approvals: z.array(jws).max(64) }),
  answer: toldList.extend({ since: instant }),
});

/** What a backend knows of stations, in the order of the numbers. */
export interface KnownStations {
  readonly enrolled: readonly EnrolledStationRow[];
  readonly revoked: readonly Pick<RevokedStationRow, 'station'>[];
}

/**
 * The row of an enrolment, or the one that is there already: a key serves one name for ever, and a key that was replaced
 * does not come back.
 * @param configured the keys of the configuration
 * @throws Fault ENROLMENT_REFUSED, STATION_LIST_FULL
 */
export function enrolmentRow(
  { station, tlsKey, envelopeKey }: Enrolment,
  known: KnownStations,
  configured: readonly TrustedKey[],
  since: string,
): EnrolledStationRow {
  const keys = { tlsKey: toHex(tlsKey), envelopeKey: toHex(envelopeKey) };
  const refuse = (why: string) => new Fault('ENROLMENT_REFUSED', { station, why });
  if (known.revoked.some((row) => row.station === station)) throw refuse('it was revoked');
  const newest = known.enrolled.findLast((row) => row.station === station);
  if (newest?.envelopeKey === keys.envelopeKey) return newest;
  if (known.enrolled.some((row) => row.envelopeKey === keys.envelopeKey))
    throw refuse('its envelope key is another station’s, or was replaced');
  const owner = configured.find((key) => toHex(key.publicKey) === keys.envelopeKey);
  if (owner !== undefined && (owner.role !== 'station' || owner.name !== station))
    throw refuse(`its envelope key is that of ${owner.role} ${owner.name}`);
  const names = new Set(known.enrolled.map((row) => row.station));
  if (newest === undefined && names.size >= ENROLLED_MAX)
    throw new Fault('STATION_LIST_FULL', { station, enrolled: names.size });
  return { station, number: known.enrolled.length + 1, since, ...keys };
}

/** Of each station that is not revoked the newest enrolment, in the order of the numbers. */
export function enrolledNow({ enrolled, revoked }: KnownStations): readonly EnrolledStationRow[] {
  const gone = new Set(revoked.map(({ station }) => station));
  const newest = new Map(enrolled.map((row) => [row.station, row]));
  return enrolled.filter((row) => newest.get(row.station) === row && !gone.has(row.station));
}

/** The keys to believe: an enrolled one stands in the place of the configuration's for that station. */
export function withEnrolled(
  configured: readonly TrustedKey[],
  enrolled: readonly { readonly station: string; readonly envelopeKey: string }[],
): readonly TrustedKey[] {
  if (enrolled.length === 0) return configured;
  const names = new Set(enrolled.map(({ station }) => station));
  return [
    ...configured.filter(({ role, name }) => role !== 'station' || !names.has(name)),
    ...enrolled.map(({ station, envelopeKey }) => ({
      name: station,
      role: 'station' as const,
      publicKey: fromHex(envelopeKey),
    })),
  ];
}
