/**
 * PUT KEY for one AES key set, and the check values it carries.
 *
 * Limits: AES-128 and AES-256. AES-192 would need padding of its own (form A only) and is not offered.
 *
 * @see GPCS 2.3.1 section 11.8; Amendment D section 7.2
 */
import { type Bytes, concat } from '../bytes.ts';
import { BLOCK_BYTES } from '../crypto/cmac.ts';
import type { Command } from './apdu.ts';

/** Key type AES. GPCS 2.3.1 table 11-16. */
const KEY_TYPE_AES = 0x88;
/** Bytes of a key check value. GPCS 2.3.1 section B.6. */
export const CHECK_VALUE_BYTES = 3;

/** The block whose encipherment starts with the check value: 16 x 01. Never CKA_CHECK_VALUE, which is over 00. */
export const CHECK_VALUE_BLOCK: Bytes = new Uint8Array(BLOCK_BYTES).fill(0x01);

/** One key on its way to the card. */
export interface WrappedKey {
  /** AES-CBC with zero IV under the static Key-DEK of the set that opened the channel: 16 or 32 bytes. */
  readonly wrapped: Bytes;
  /** 3 bytes. */
  readonly checkValue: Bytes;
}

/** `explicit-length`: the block is preceded by the key's length (form A); `block-only`: form B. */
export type PutKeyForm = 'explicit-length' | 'block-only';

/**
 * Plain PUT KEY with Key-ENC, Key-MAC and Key-DEK as key identifiers 1, 2 and 3: adds the version, or replaces it.
 * @throws RangeError for a key version outside 01..7F or a key of another length
 */
export function putKeyCommand(
  keyVersion: number,
  keys: readonly [enc: WrappedKey, mac: WrappedKey, dek: WrappedKey],
  form: PutKeyForm,
  replaces = false,
): Command {
  if (!Number.isInteger(keyVersion) || keyVersion < 0x01 || keyVersion > 0x7f)
    throw new RangeError('a key version is 01 to 7F');
  return {
    cla: 0x80,
    ins: 0xd8,
    p1: replaces ? keyVersion : 0x00,
    p2: 0x81, // First key identifier 1, several keys.
    data: concat(Uint8Array.of(keyVersion), ...keys.map((key) => keyField(key, form))),
    expected: 0,
  };
}

/** What the card answers: the KVN and the check values as they were presented. GPCS 2.3.1 section 11.8.3.1. */
export function putKeyEcho(
  keyVersion: number,
  checkValues: readonly [enc: Bytes, mac: Bytes, dek: Bytes],
): Bytes {
  return concat(Uint8Array.of(keyVersion), ...checkValues);
}

function keyField({ wrapped, checkValue }: WrappedKey, form: PutKeyForm): Bytes {
  const size = wrapped.length;
  if ((size !== 16 && size !== 32) || checkValue.length !== CHECK_VALUE_BYTES)
    throw new RangeError('a key field holds 16 or 32 bytes and a check value of 3');
  const lengths = form === 'explicit-length' ? Uint8Array.of(size + 1, size) : Uint8Array.of(size);
  return concat(Uint8Array.of(KEY_TYPE_AES), lengths, wrapped, Uint8Array.of(CHECK_VALUE_BYTES), checkValue);
}
