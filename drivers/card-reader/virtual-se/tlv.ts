/**
 * BER-TLV as a card needs it: definite lengths up to 64 KiB, tags up to three bytes.
 *
 * @see ISO/IEC 7816-4 section 5.2.2
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { Refusal, StatusWord } from './wire.ts';

/** One object; `tag` is its bytes as one number: 0x9f7f, 0x5fc101. */
export interface Tlv {
  readonly tag: number;
  readonly value: Bytes;
}

/** `tlv(0x9f7f, cplc)` is `9F 7F 2A ...`. */
export function tlv(tag: number, ...values: readonly Bytes[]): Buffer {
  const value = Buffer.concat(values);
  return Buffer.concat([tagBytes(tag), lengthBytes(value.length), value]);
}

/** All objects that fill `bytes`. @throws Refusal 6A80 when they do not fill them exactly. */
export function parseTlvs(bytes: Bytes): readonly Tlv[] {
  const found: Tlv[] = [];
  for (let at = 0; at < bytes.length; ) {
    let tag = byteAt(bytes, at++);
    if ((tag & 0x1f) === 0x1f) {
      let next: number;
      do {
        if (tag > 0xffff) throw new Refusal(StatusWord.dataWrong);
        next = byteAt(bytes, at++);
        tag = tag * 256 + next;
      } while (next & 0x80);
    }
    let size = byteAt(bytes, at++);
    if (size > 0x82 || size === 0x80) throw new Refusal(StatusWord.dataWrong);
    if (size === 0x81) size = byteAt(bytes, at++);
    else if (size === 0x82) size = byteAt(bytes, at++) * 256 + byteAt(bytes, at++);
    if (at + size > bytes.length) throw new Refusal(StatusWord.dataWrong);
    found.push({ tag, value: bytes.subarray(at, at + size) });
    at += size;
  }
  return found;
}

/** The value of the first object with this tag; undefined when there is none. */
export function valueIn(tlvs: readonly Tlv[], tag: number): Bytes | undefined {
  return tlvs.find((item) => item.tag === tag)?.value;
}

function tagBytes(tag: number): Buffer {
  const text = tag.toString(16);
  return Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex');
}

function lengthBytes(size: number): Buffer {
  if (size < 0x80) return Buffer.of(size);
  return size < 0x100 ? Buffer.of(0x81, size) : Buffer.of(0x82, size >> 8, size & 0xff);
}

function byteAt(bytes: Bytes, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Refusal(StatusWord.dataWrong);
  return byte;
}
