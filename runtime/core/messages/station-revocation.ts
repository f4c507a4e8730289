/**
 * The list of stations by which a backend tells the gateways whom officers revoked and whom they enrolled, and what they
 * approve to revoke one. A list is whole, and a later one only adds: a revoked station comes back under another name.
 */
import { z } from 'zod';
import { fromText, toHex } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { Fault } from '../faults.ts';
import type { Crypto } from '../ports.ts';
import { open, statement, type TrustedKey } from './envelope.ts';
import { instant, jws, listJws, p256Point, partyName } from './fields.ts';
import { instruction } from './instruction.ts';

const reason = z.string().min(1).max(200);

export const revokedStation = z.strictObject({
  station: partyName,
  since: instant,
  reason,
});
export type RevokedStation = z.output<typeof revokedStation>;

/** One that officers enrolled, with the key that its envelopes are signed with. */
export const enrolledStation = z.strictObject({
  station: partyName,
  since: instant,
  envelopeKey: p256Point,
});

/** Names that one list can hold. At their longest 400 * 395 + 300 * 330 characters of base64 are within a message. */
export const REVOKED_MAX = 400;
export const ENROLLED_MAX = 300;

export const stationRevocations = statement({
  typ: 'holdfast/station-revocations+v1',
  signedBy: 'backend',
  payload: z.strictObject({
    number: z.int().min(0).meta({
      description: 'Revocations and enrolments so far; a lower one is an older list.',
    }),
    at: instant,
    stations: z
      .array(revokedStation)
      .max(REVOKED_MAX)
      .meta({ description: 'In the order of their revocation.' }),
    enrolled: z
      .array(enrolledStation)
      .max(ENROLLED_MAX)
      .optional()
      .meta({ description: 'The newest key of each station that is not revoked; absent for none.' }),
  }),
});
export type StationRevocations = z.output<typeof stationRevocations.payload>;

/** What officers sign to have a station revoked: SHA-256, hexadecimal. */
export function stationRevocationSubject(
  order: { readonly station: string; readonly reason: string },
  crypto: Crypto,
): string {
  const { station, reason: why } = order;
  return toHex(crypto.sha256(fromText(canonicalJson({ revoke: station, reason: why }))));
}

/**
 * The list that a gateway goes by from now on.
 * @param held the one it has gone by; null for none
 * @throws Fault STATION_LIST_REFUSED when it is older than the one held, or takes a station back; ENVELOPE_INVALID
 */
export function judgeStationRevocations(
  list: string,
  held: StationRevocations | null,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): StationRevocations {
  const { payload } = open(stationRevocations, list, trusted, crypto);
  const { number, stations, enrolled = [] } = payload;
  // Of a station only the newest enrolment is named, so the number may be higher.
  if (
    number < stations.length + enrolled.length ||
    (enrolled.length === 0 && stations.length === 0 && number > 0)
  )
    throw new Fault('STATION_LIST_REFUSED', { number, why: 'its number is not its length' });
  if (held === null) return payload;
  if (payload.number < held.number)
    throw new Fault('STATION_LIST_REFUSED', { number: payload.number, held: held.number, why: 'older' });
  const names = new Set(payload.stations.map(({ station }) => station));
  const missing =
    held.stations.find(({ station }) => !names.has(station)) ??
    held.enrolled?.find(
      (one) => !names.has(one.station) && !enrolled.some((now) => now.station === one.station),
    );
  if (missing !== undefined)
    throw new Fault('STATION_LIST_REFUSED', { number: payload.number, why: `lacks ${missing.station}` });
  return payload;
}

/** How a list comes out of a backend. */
export const toldList = z.strictObject({ list: listJws, number: z.int().min(0) });

/** Done once: a station that is revoked already stays revoked since then, for the reason given then. */
export const revokeStation = instruction({
  name: 'revoke-station',
  to: 'backend',
  body: z.strictObject({ station: partyName, reason, approvals: z.array(jws).max(64) }),
  answer: toldList.extend({ since: instant }),
});

export const tellStationRevocations = instruction({
  name: 'tell-station-revocations',
  to: 'backend',
  body: z.strictObject({}),
  answer: toldList,
});

export const takeStationRevocations = instruction({
  name: 'take-station-revocations',
  to: 'gateway',
  body: z.strictObject({ list: listJws }),
  answer: z.strictObject({
    number: z.int().min(0),
    stations: z.array(partyName).max(REVOKED_MAX),
    enrolled: z.array(partyName).max(ENROLLED_MAX),
  }),
});
