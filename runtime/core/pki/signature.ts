/**
 * ECDSA P-256 signatures between the raw form (r || s, 64 bytes) of tokens and the DER form of certificates.
 *
 * @see RFC 3279 section 2.2.3
 */
import { type Bytes, concat } from '../bytes.ts';
import { integer, members, read, readInteger, sequence, Tag } from './der.ts';

/** Bytes of r and of s. */
const SCALAR_BYTES = 32;

export function signatureToDer(raw: Bytes): Bytes {
  if (raw.length !== 2 * SCALAR_BYTES) throw new RangeError('a raw signature has 64 bytes');
  return sequence(integer(raw.subarray(0, SCALAR_BYTES)), integer(raw.subarray(SCALAR_BYTES)));
}

/** @throws RangeError when the bytes are not a DER ECDSA signature of this size */
export function signatureFromDer(bytes: Bytes): Bytes {
  const scalars = members(read(bytes), Tag.sequence).map(readInteger);
  if (scalars.length !== 2 || scalars.some((scalar) => scalar.length > SCALAR_BYTES))
    throw new RangeError('not a P-256 signature');
  return concat(...scalars.flatMap((scalar) => [new Uint8Array(SCALAR_BYTES - scalar.length), scalar]));
}
