/** AES in this process over node:crypto: for simulated tokens and card models, never for a key of the fleet. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { BLOCK_BYTES, double } from '../../runtime/core/crypto/cmac.ts';

const ZERO = Buffer.alloc(BLOCK_BYTES);

export function ecb(key: Bytes, data: Bytes): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

export function cbc(key: Bytes, iv: Bytes, data: Bytes): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, iv).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

export function cbcDecrypt(key: Bytes, iv: Bytes, data: Bytes): Buffer {
  const cipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, iv).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

/** AES-CMAC as one CBC pass per message, the subkeys computed once. RFC 4493 section 2.4. */
export function cmacOf(key: Bytes): (message: Bytes) => Buffer {
  const first = double(ecb(key, ZERO));
  const second = double(first);
  return (message) => {
    const blocks = Math.max(1, Math.ceil(message.length / BLOCK_BYTES));
    const padded = Buffer.alloc(blocks * BLOCK_BYTES);
    padded.set(message);
    const whole = message.length === padded.length;
    if (!whole) padded[message.length] = 0x80;
    const at = padded.length - BLOCK_BYTES;
    const subkey = whole ? first : second;
    for (let i = 0; i < BLOCK_BYTES; i++) padded[at + i] = (padded[at + i] ?? 0) ^ (subkey[i] ?? 0);
    return Buffer.from(cbc(key, ZERO, padded).subarray(at));
  };
}

/** Triple DES in ECB mode, for vendors' masters of 16 or 24 bytes. */
export function tripleDes(key: Bytes, blocks: Bytes): Buffer {
  const whole = Buffer.concat([key, key.subarray(0, 8)]).subarray(0, 24);
  const cipher = createCipheriv('des-ede3-ecb', whole, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(blocks), cipher.final()]);
}
