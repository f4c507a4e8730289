/**
 * ECDSA signatures between the raw form of tokens (r || s, 64 bytes of P-256 or 96 of P-384) and the DER form of certificates.
 *
 * @see RFC 3279 section 2.2.3
 */
import { type Bytes, concat } from '../bytes.ts';
import { integer, members, read, readInteger, sequence, Tag } from './der.ts';

/** Bytes of r and of s, P-256. */
const SCALAR_BYTES = 32;

/** @param raw r || s, both of the same length */
export function signatureToDer(raw: Bytes): Bytes {
  const half = raw.length / 2;
  if (half !== SCALAR_BYTES && half !== 48) throw new RangeError('a raw signature has 64 or 96 bytes');
  return sequence(integer(raw.subarray(0, half)), integer(raw.subarray(half)));
}

/** @param scalarBytes of r and of s: 32 for P-256, 48 for P-384
 * @throws RangeError when the bytes are not a DER ECDSA signature of this size */
export function signatureFromDer(bytes: Bytes, scalarBytes = SCALAR_BYTES): Bytes {
  const scalars = members(read(bytes), Tag.sequence).map(readInteger);
  if (scalars.length !== 2 || scalars.some((scalar) => scalar.length > scalarBytes))
    throw new RangeError(`not a signature of two scalars of ${scalarBytes} bytes`);
  return concat(...scalars.flatMap((scalar) => [new Uint8Array(scalarBytes - scalar.length), scalar]));
}
