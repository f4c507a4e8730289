/**
 * The trust list: the intermediates and stations that the fleet no longer believes, numbered, signed by the backend
 * and a leaf of its log. It takes effect where it is read, without the offline root; a root CRL follows it for
 * whoever reads nothing else.
 */
import { z } from 'zod';
import { toHex } from '../bytes.ts';
import { Fault } from '../faults.ts';
import { reasonNames } from '../pki/crl.ts';
import type { Crypto } from '../ports.ts';
import { open, statement, type TrustedKey } from './envelope.ts';
import { hex, instant, partyName } from './fields.ts';

export const trustListPayload = z.strictObject({
  number: z.int().min(1).meta({ description: 'Rises with every list; an older one is refused.' }),
  issuedAt: instant,
  intermediates: z
    .array(
      z.strictObject({
        name: partyName.meta({ description: 'As tickets name it.' }),
        keyIdentifier: hex.meta({ description: 'Its subjectKeyIdentifier.' }),
        reason: z.enum(reasonNames),
        revokedAt: instant,
      }),
    )
    .max(1_000),
  stations: z.array(z.strictObject({ name: partyName, revokedAt: instant })).max(1_000),
});
export type TrustList = z.output<typeof trustListPayload>;

export const trustListStatement = statement({
  typ: 'holdfast/trust-list+v1',
  signedBy: 'backend',
  payload: trustListPayload,
});

/** A list that is no older than the one known before. @param known its number; 0 for none
 * @throws Fault TRUST_LIST_REFUSED */
export function openTrustList(
  jws: string,
  known: number,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): TrustList {
  const list = openedOrRefused(jws, trusted, crypto);
  if (list.number < known)
    throw new Fault('TRUST_LIST_REFUSED', {
      number: list.number,
      known,
      why: 'older than the list known here',
    });
  return list;
}

export function isIntermediateRevoked(list: TrustList | null, keyIdentifier: Uint8Array): boolean {
  const name = toHex(keyIdentifier);
  return list?.intermediates.some((one) => one.keyIdentifier === name) ?? false;
}

export function isStationRevoked(list: TrustList | null, station: string): boolean {
  return list?.stations.some(({ name }) => name === station) ?? false;
}

function openedOrRefused(jws: string, trusted: readonly TrustedKey[], crypto: Crypto): TrustList {
  try {
    return open(trustListStatement, jws, trusted, crypto).payload;
  } catch (error) {
    throw new Fault('TRUST_LIST_REFUSED', { why: 'not signed by a known backend' }, { cause: error });
  }
}
