/**
 * Certification requests of parties at the message broker: one common name, one P-256 key, no attributes. Of a request
 * only name and key are taken, whatever else it asks for.
 *
 * @see RFC 2986
 */
import { type Bytes, concat, equal, fromHex } from '../bytes.ts';
import type { Crypto } from '../ports.ts';
import { readPublicKey } from './certificate.ts';
import {
  bitString,
  contextTag,
  der,
  members,
  oid,
  read,
  readBitString,
  readText,
  sequence,
  set,
  Tag,
  utf8String,
} from './der.ts';
import { ECDSA_SHA256, P256_SPKI_PREFIX } from './identifiers.ts';
import { signatureFromDer, signatureToDer } from './signature.ts';

/** X.520 commonName. RFC 5280 appendix A. */
const COMMON_NAME = '2.5.4.3';
/** Version 1, whose value is 0. */
const VERSION_1 = fromHex('020100');

/** CertificationRequestInfo: what the key signs. @param publicKey 65-byte point */
export function partyRequestInfo(name: string, publicKey: Bytes): Bytes {
  return sequence(VERSION_1, subjectOf(name), concat(P256_SPKI_PREFIX, publicKey), der(contextTag(0, true)));
}

/** @param signature r || s over SHA-256 of `info`, 64 bytes */
export function assemblePartyRequest(info: Bytes, signature: Bytes): Bytes {
  return sequence(info, ECDSA_SHA256, bitString(signatureToDer(signature)));
}

export interface PartyRequest {
  readonly name: string;
  /** 65-byte point. */
  readonly publicKey: Bytes;
}

/** Null when the request's own key did not sign it. @throws RangeError when the bytes are not such a request */
export function verifyPartyRequest(crypto: Crypto, request: Bytes): PartyRequest | null {
  const [info, , signature] = members(read(request), Tag.sequence);
  const [, subject, spki] = members(info, Tag.sequence);
  if (info === undefined || subject === undefined || spki === undefined)
    throw new RangeError('not a request');
  const [relative] = members(subject, Tag.sequence);
  const [attribute] = members(relative, Tag.set);
  const name = readText(members(attribute, Tag.sequence)[1]);
  if (!equal(subjectOf(name), subject.whole)) throw new RangeError('a name of more than a common name');
  const publicKey = readPublicKey(spki.whole);
  const raw = signatureFromDer(readBitString(signature));
  return crypto.verifyP256(publicKey, info.whole, raw) ? { name, publicKey } : null;
}

function subjectOf(name: string): Bytes {
  return sequence(set(sequence(oid(COMMON_NAME), utf8String(name))));
}
