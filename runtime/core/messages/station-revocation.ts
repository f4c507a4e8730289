/**
 * Revoked stations: what officers approve, and the numbered list by which a backend tells the gateways. A list is whole,
 * and a later one only adds: a station that comes back comes under another name.
 */
import { z } from 'zod';
import { fromText, toHex } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { Fault } from '../faults.ts';
import type { Crypto } from '../ports.ts';
import { open, statement, type TrustedKey } from './envelope.ts';
import { instant, jws, partyName } from './fields.ts';
import { instruction } from './instruction.ts';

const reason = z.string().min(1).max(200);

export const revokedStation = z.strictObject({
  station: partyName,
  since: instant,
  reason,
});
export type RevokedStation = z.output<typeof revokedStation>;

/** Stations that one list can name. */
const STATIONS_MAX = 10_000;

export const stationRevocations = statement({
  typ: 'holdfast/station-revocations+v1',
  signedBy: 'backend',
  payload: z.strictObject({
    number: z.int().min(0).meta({ description: 'Stations revoked so far; a lower one is an older list.' }),
    at: instant,
    stations: z
      .array(revokedStation)
      .max(STATIONS_MAX)
      .meta({ description: 'In the order of their revocation.' }),
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
  if (payload.number !== payload.stations.length)
    throw new Fault('STATION_LIST_REFUSED', { number: payload.number, why: 'its number is not its length' });
  if (held === null) return payload;
  if (payload.number < held.number)
    throw new Fault('STATION_LIST_REFUSED', { number: payload.number, held: held.number, why: 'older' });
  const names = new Set(payload.stations.map(({ station }) => station));
  const missing = held.stations.find(({ station }) => !names.has(station));
  if (missing !== undefined)
    throw new Fault('STATION_LIST_REFUSED', { number: payload.number, why: `lacks ${missing.station}` });
  return payload;
}

const told = z.strictObject({ list: jws, number: z.int().min(0) });

/** Done once: a station that is revoked already stays revoked since then, for the reason given then. */
export const revokeStation = instruction({
  name: 'revoke-station',
  to: 'backend',
  body: z.strictObject({ station: partyName, reason, approvals: z.array(jws).max(64) }),
  answer: told.extend({ since: instant }),
});

export const tellStationRevocations = instruction({
  name: 'tell-station-revocations',
  to: 'backend',
  body: z.strictObject({}),
  answer: told,
});

export const takeStationRevocations = instruction({
  name: 'take-station-revocations',
  to: 'gateway',
  body: z.strictObject({ list: jws }),
  answer: z.strictObject({ number: z.int().min(0), stations: z.array(partyName).max(STATIONS_MAX) }),
});
