/**
 * Keys and signatures of certification authorities: P-256 with SHA-256, the default, and P-384 with SHA-384. Which
 * of them is a matter of the key alone; device keys are always P-256.
 *
 * @see RFC 5480 section 2; RFC 5758 section 3.2
 */
import { type Bytes, concat, equal, fromHex } from '../bytes.ts';
import type { Crypto } from '../ports.ts';
import { type Node, oid, sequence } from './der.ts';
import { ECDSA_SHA256, P256_SPKI_PREFIX } from './identifiers.ts';

export type CaAlgorithm = 'es256' | 'es384';

interface Curve {
  readonly scalarBytes: number;
  /** SubjectPublicKeyInfo up to its point. */
  readonly spkiPrefix: Bytes;
  /** AlgorithmIdentifier of its signatures; its parameters are absent. */
  readonly identifier: Bytes;
  readonly verify: 'verifyP256' | 'verifyP384';
}

export const caAlgorithms: Readonly<Record<CaAlgorithm, Curve>> = {
  es256: {
    scalarBytes: 32,
    spkiPrefix: P256_SPKI_PREFIX,
    identifier: ECDSA_SHA256,
    verify: 'verifyP256',
  },
  es384: {
    scalarBytes: 48,
    spkiPrefix: fromHex('3076301006072a8648ce3d020106052b81040022036200'),
    identifier: sequence(oid('1.2.840.10045.4.3.3')),
    verify: 'verifyP384',
  },
};

const names = Object.keys(caAlgorithms) as readonly CaAlgorithm[];

/** @param publicKey uncompressed point, 65 or 97 bytes. @throws RangeError for another length */
export function algorithmOf(publicKey: Bytes): CaAlgorithm {
  const found = names.find((name) => publicKey.length === 1 + 2 * caAlgorithms[name].scalarBytes);
  if (found === undefined) throw new RangeError('neither a P-256 nor a P-384 key');
  return found;
}

/** @throws RangeError for any other algorithm */
export function algorithmIn(identifier: Node | undefined): CaAlgorithm {
  const found = names.find(
    (name) => identifier !== undefined && equal(caAlgorithms[name].identifier, identifier.whole),
  );
  if (found === undefined) throw new RangeError('another signature algorithm');
  return found;
}

/** The algorithm of a raw signature, r || s of 64 or 96 bytes. @throws RangeError for another length */
export function algorithmOfSignature(raw: Bytes): CaAlgorithm {
  const found = names.find((name) => raw.length === 2 * caAlgorithms[name].scalarBytes);
  if (found === undefined) throw new RangeError('neither a P-256 nor a P-384 signature');
  return found;
}

/** SubjectPublicKeyInfo, DER. @param publicKey uncompressed point, 65 or 97 bytes */
export function spkiOf(publicKey: Bytes): Bytes {
  return concat(caAlgorithms[algorithmOf(publicKey)].spkiPrefix, publicKey);
}

/** The point of a SubjectPublicKeyInfo, 65 or 97 bytes. @throws RangeError for any other key */
export function readCaKey(spki: Bytes): Bytes {
  for (const name of names) {
    const { spkiPrefix, scalarBytes } = caAlgorithms[name];
    const point = spki.subarray(spkiPrefix.length);
    const fits = point.length === 1 + 2 * scalarBytes && point[0] === 0x04;
    if (fits && equal(spki.subarray(0, spkiPrefix.length), spkiPrefix)) return point;
  }
  throw new RangeError('neither an uncompressed P-256 nor a P-384 key');
}

/** Whether a CA has signed this. @param signature r || s */
export function verifiesUnder(crypto: Crypto, publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  return crypto[caAlgorithms[algorithmOf(publicKey)].verify](publicKey, message, signature);
}

/** Identifier of a CA's key, 20 bytes: an identifier, not a protection. RFC 7093 section 2, method 1. */
export function keyIdentifierOf(publicKey: Bytes, crypto: Crypto): Bytes {
  return crypto.sha256(publicKey).subarray(0, 20);
}
