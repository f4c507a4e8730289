/**
 * AES, CMAC and the key derivation of SCP03 as the card calculates them. Written apart from the gateway's, so
 * that an error in one of them meets another opinion.
 *
 * @see RFC 4493; GlobalPlatform Amendment D v1.1.1 section 4.1.5
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Bytes } from '../../../runtime/core/bytes.ts';

/** Block size of AES in bytes. FIPS 197 section 3. */
export const BLOCK = 16;

/** Amendment D section 4.1.5, table 4-1. */
export const Derivation = {
  cardCryptogram: 0x00,
  hostCryptogram: 0x01,
  cardChallenge: 0x02,
  sessionEnc: 0x04,
  sessionMac: 0x06,
  sessionRmac: 0x07,
} as const;

/** The full 16-byte code over the joined parts. */
export type Mac = (...parts: readonly Bytes[]) => Buffer;

/** CMAC under one key (16, 24 or 32 bytes), with its subkeys calculated once. */
export function createMac(key: Bytes): Mac {
  const { first, second } = subkeys(key);
  return (...parts) => {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const whole = size > 0 && size % BLOCK === 0;
    const text = Buffer.alloc(whole ? size : size - (size % BLOCK) + BLOCK);
    let at = 0;
    for (const part of parts) {
      text.set(part, at);
      at += part.length;
    }
    if (!whole) text[size] = 0x80;
    const last = text.length - BLOCK;
    const mask = whole ? first : second;
    for (let i = 0; i < BLOCK; i++) text[last + i] = (text[last + i] ?? 0) ^ (mask[i] ?? 0);
    return encryptCbc(key, ZERO, text).subarray(last);
  };
}

export function cmac(key: Bytes, message: Bytes): Buffer {
  return createMac(key)(message);
}

/** K1 and K2. RFC 4493 section 2.3. */
export function subkeys(key: Bytes): { readonly first: Buffer; readonly second: Buffer } {
  const first = shifted(encryptBlock(key, ZERO));
  return { first, second: shifted(first) };
}

/**
 * SP 800-108 in counter mode with the header of SCP03.
 * @param bits length of the result; at most 256.
 * @param context what the constant asks for, such as host challenge || card challenge.
 */
export function derive(mac: Mac, constant: number, bits: number, context: Bytes): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 1; (i - 1) * BLOCK * 8 < bits; i++) {
    const header = Buffer.alloc(BLOCK);
    header[11] = constant;
    header.writeUInt16BE(bits, 13);
    header[15] = i;
    blocks.push(mac(header, context));
  }
  return Buffer.concat(blocks).subarray(0, bits / 8);
}

/** The first three bytes of a block filled with `fill`, enciphered. GPCS 2.3.1 section B.6 has fill 01. */
export function checkValue(key: Bytes, fill: number): Buffer {
  return encryptBlock(key, Buffer.alloc(BLOCK, fill)).subarray(0, 3);
}

export function encryptBlock(key: Bytes, block: Bytes): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null);
  cipher.setAutoPadding(false);
  return cipher.update(block);
}

/** `data`: whole blocks. */
export function encryptCbc(key: Bytes, iv: Bytes, data: Bytes): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, iv);
  cipher.setAutoPadding(false);
  return cipher.update(data);
}

/** `data`: whole blocks. */
export function decryptCbc(key: Bytes, iv: Bytes, data: Bytes): Buffer {
  const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, iv);
  decipher.setAutoPadding(false);
  return decipher.update(data);
}

/** An initial value of zeros, as Key-DEK uses it. Amendment D section 6.2.8. */
export const ZERO = Buffer.alloc(BLOCK);

function shifted(block: Buffer): Buffer {
  const doubled = Buffer.alloc(BLOCK);
  for (let i = 0; i < BLOCK; i++) doubled[i] = ((block[i] ?? 0) << 1) | ((block[i + 1] ?? 0) >> 7);
  if ((block[0] ?? 0) & 0x80) doubled[BLOCK - 1] = (doubled[BLOCK - 1] ?? 0) ^ 0x87;
  return doubled;
}
