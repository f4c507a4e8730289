/**
 * Enrolment: what a station asks of the bus authority, and what may vouch for it. A request holds two public keys of the
 * station's token and a proof of possession of each: a PKCS#10 request signed by the one, and a signature of the other.
 */
import { z } from 'zod';
import { type Bytes, equal, fromBase64, fromHex, fromText, toBase64, toHex } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { asFault, Fault } from '../faults.ts';
import { assemblePartyRequest, partyRequestInfo, verifyPartyRequest } from '../pki/party-request.ts';
import type { Crypto, Signer } from '../ports.ts';
import { open, payloadOf, seal, statement } from './envelope.ts';
import { hash, instant, p256Point, partyName } from './fields.ts';

export const enrolmentRequest = statement({
  typ: 'holdfast/enrolment-request+v1',
  signedBy: 'station',
  payload: z.strictObject({
    station: partyName,
    tlsRequest: z
      .base64()
      .max(2_048)
      .meta({ description: 'PKCS#10, DER, signed by the key for the broker.' }),
    envelopeKey: p256Point.meta({ description: 'The key that signs envelopes, and this request.' }),
    code: hash.nullable().meta({ description: 'Proof that the station was given a one-time code.' }),
    present: z.base64().max(8_192).nullable().meta({
      description: 'For a renewal: the certificate of the same key that is still valid, DER.',
    }),
    requestedAt: instant,
  }),
});

/** What a station is to be certified for. */
export interface Enrolment {
  readonly station: string;
  /** 65-byte points. */
  readonly tlsKey: Bytes;
  readonly envelopeKey: Bytes;
}

export interface AskedEnrolment extends Enrolment {
  readonly code: string | null;
  /** DER. */
  readonly present: Bytes | null;
}

/** Made at the station, with both keys of its token. @param vouch the code, or the certificate that is to be renewed */
export function askEnrolment(
  { station, requestedAt }: { readonly station: string; readonly requestedAt: string },
  keys: { readonly tls: Signer; readonly envelope: Signer },
  vouch: { readonly code: string | null; readonly present: Bytes | null },
  crypto: Crypto,
): Promise<string> {
  const { tls, envelope } = keys;
  const info = partyRequestInfo(station, tls.publicKey);
  const asked = { station, tlsKey: tls.publicKey, envelopeKey: envelope.publicKey };
  return tls.sign(info).then((signature) => {
    const payload = {
      station,
      tlsRequest: toBase64(assemblePartyRequest(info, signature)),
      envelopeKey: toHex(envelope.publicKey),
      code: vouch.code === null ? null : codeProof(vouch.code, asked, crypto),
      present: vouch.present === null ? null : toBase64(vouch.present),
      requestedAt,
    };
    return seal(enrolmentRequest, payload, envelope, crypto);
  });
}

/** Verifies both proofs of possession; who vouches for the station is judged by the authority.
 * @throws Fault ENROLMENT_REFUSED */
export function readEnrolment(jws: string, crypto: Crypto): AskedEnrolment {
  const claimed = payloadOf(enrolmentRequest, jws);
  if (claimed === null) throw refused('', 'not an enrolment request');
  const { station, code, present } = claimed;
  const envelopeKey = fromHex(claimed.envelopeKey);
  try {
    open(enrolmentRequest, jws, [{ name: station, role: 'station', publicKey: envelopeKey }], crypto);
  } catch (error) {
    throw refused(station, 'its envelope key did not sign it', error);
  }
  const tls = verified(station, fromBase64(claimed.tlsRequest), crypto);
  if (equal(tls.publicKey, envelopeKey)) throw refused(station, 'one key for two purposes');
  return {
    ...{ station, tlsKey: tls.publicKey, envelopeKey, code },
    present: present === null ? null : fromBase64(present),
  };
}

function verified(station: string, request: Bytes, crypto: Crypto) {
  try {
    const tls = verifyPartyRequest(crypto, request);
    if (tls === null) throw refused(station, 'its key for the broker did not sign the certificate request');
    if (tls.name !== station) throw refused(station, `the certificate request names ${tls.name}`);
    return tls;
  } catch (error) {
    throw error instanceof RangeError
      ? refused(station, 'its certificate request', error)
      : asFault(error, 'UNEXPECTED');
  }
}

/** What officers approve: SHA-256, hexadecimal. */
export function enrolmentSubject(of: Enrolment, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(canonicalJson(textOf(of)))));
}

/** Whoever sees the proof learns neither the code nor a proof for other keys. */
export function codeProof(code: string, of: Enrolment, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(canonicalJson({ ...textOf(of), code: code.trim() }))));
}

function textOf({ station, tlsKey, envelopeKey }: Enrolment) {
  return { enrol: station, tlsKey: toHex(tlsKey), envelopeKey: toHex(envelopeKey) };
}

function refused(station: string, why: string, cause?: unknown): Fault {
  return new Fault('ENROLMENT_REFUSED', { station, why }, { cause });
}
