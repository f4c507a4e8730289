/**
 * AES-CMAC over a block cipher that the caller brings.
 *
 * @see RFC 4493; NIST SP 800-38B section 6
 */
import { type Bytes, concat, xor } from '../bytes.ts';

/** Block size of AES in bytes. FIPS 197 section 3. */
export const BLOCK_BYTES = 16;

/** Enciphers one block (16 bytes) under a key that stays with the caller. */
export type BlockCipher = (block: Bytes) => Bytes;

/** The full 16-byte code of a message of any length. */
export function cmac(cipher: BlockCipher, message: Bytes): Bytes {
  const first = double(cipher(new Uint8Array(BLOCK_BYTES)));
  const blocks = Math.max(1, Math.ceil(message.length / BLOCK_BYTES));
  const whole = message.length > 0 && message.length % BLOCK_BYTES === 0;
  const last = message.subarray((blocks - 1) * BLOCK_BYTES);
  const final = whole ? xor(last, first) : xor(padded(last), double(first));
  let state: Bytes = new Uint8Array(BLOCK_BYTES);
  for (let i = 0; i < blocks - 1; i++)
    state = cipher(xor(state, message.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)));
  return cipher(xor(state, final));
}

/** Multiplication by x in GF(2^128). RFC 4493 section 2.3. */
export function double(block: Bytes): Bytes {
  const carry = ((block[0] ?? 0) & 0x80) === 0 ? 0 : 0x87;
  return block.map(
    (byte, i) => (byte << 1) ^ ((block[i + 1] ?? 0) >> 7) ^ (i === BLOCK_BYTES - 1 ? carry : 0),
  );
}

function padded(part: Bytes): Bytes {
  return concat(part, Uint8Array.of(0x80), new Uint8Array(BLOCK_BYTES - 1 - part.length));
}
