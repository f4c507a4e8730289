/**
 * HMAC with SHA-256.
 *
 * @see RFC 2104 section 2
 */
import { type Bytes, concat } from '../bytes.ts';
import type { Sha256 } from '../log/tree.ts';

/** Block length of SHA-256 in bytes. FIPS 180-4 figure 1. */
const BLOCK_BYTES = 64;
/** RFC 2104 section 2. */
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** @param key at most 64 bytes @returns 32 bytes @throws RangeError for a longer key, which would have to be hashed */
export function hmacSha256(key: Bytes, message: Bytes, sha256: Sha256): Bytes {
  if (key.length > BLOCK_BYTES) throw new RangeError('the key is longer than a block');
  const padded = (pad: number): Bytes =>
    Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => (key[i] ?? 0) ^ pad);
  return sha256(concat(padded(OUTER_PAD), sha256(concat(padded(INNER_PAD), message))));
}
