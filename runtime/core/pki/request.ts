/**
 * Certification requests for chips that only sign: the gateway composes the request, the chip signs it, and the
 * whole proves possession of the private key.
 *
 * @see RFC 2986
 */
import { type Bytes, concat, fromHex } from '../bytes.ts';
import type { Crypto } from '../ports.ts';
import { readPublicKey, readSubjectSerial } from './certificate.ts';
import { bitString, contextTag, der, members, read, readBitString, sequence, Tag } from './der.ts';
import { ECDSA_SHA256, P256_SPKI_PREFIX } from './identifiers.ts';
import { signatureFromDer } from './signature.ts';
import { subjectOf } from './tbs.ts';

/** Version 1, whose value is 0. */
const VERSION_1 = fromHex('020100');

/** CertificationRequestInfo: the message whose SHA-256 the chip signs. No attributes. */
export function requestInfo(eid: string, publicKey: Bytes): Bytes {
  return sequence(VERSION_1, subjectOf(eid), concat(P256_SPKI_PREFIX, publicKey), der(contextTag(0, true)));
}

/** @param signature as the chip gives it: DER. @throws RangeError when it is not a P-256 signature */
export function assembleRequest(info: Bytes, signature: Bytes): Bytes {
  signatureFromDer(signature);
  return sequence(info, ECDSA_SHA256, bitString(signature));
}

export interface VerifiedRequest {
  readonly eid: string | null;
  readonly publicKey: Bytes;
}

/** Public key and EID of a request that its own key has signed; null when the signature does not verify.
 * @throws RangeError when the bytes are not a request */
export function verifyRequest(crypto: Crypto, request: Bytes): VerifiedRequest | null {
  const [info, , signature] = members(read(request), Tag.sequence);
  const [, subject, spki] = members(info, Tag.sequence);
  if (info === undefined || subject === undefined || spki === undefined)
    throw new RangeError('not a request');
  const publicKey = readPublicKey(spki.whole);
  const raw = signatureFromDer(readBitString(signature));
  if (!crypto.verifyP256(publicKey, info.whole, raw)) return null;
  return { eid: readSubjectSerial(subject), publicKey };
}
