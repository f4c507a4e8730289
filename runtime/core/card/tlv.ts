/**
 * BER-TLV as cards write it: tags of one to three bytes, definite lengths.
 *
 * @see ISO/IEC 8825-1; GPCS 2.3.1 section 11.1.4
 */
import { type Bytes, concat, fromHex, toHex, toNumber } from '../bytes.ts';
import { Fault } from '../faults.ts';

export interface Tlv {
  /** Upper-case hexadecimal: `9F7F`. */
  readonly tag: string;
  readonly value: Bytes;
}

/** The objects of a template, in order. @throws Fault CARD_ANSWER_MALFORMED */
export function decodeTlv(bytes: Bytes): readonly Tlv[] {
  const list: Tlv[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tagEnd = endOfTag(bytes, at);
    const first = bytes[tagEnd];
    if (first === undefined) throw malformed('no length');
    const lengthBytes = first < 0x80 ? 0 : first - 0x80;
    if (lengthBytes > 3 || first === 0x80) throw malformed('length form');
    const valueAt = tagEnd + 1 + lengthBytes;
    const length = lengthBytes === 0 ? first : toNumber(bytes.subarray(tagEnd + 1, valueAt));
    if (valueAt + length > bytes.length) throw malformed('value is cut off');
    list.push({
      tag: toHex(bytes.subarray(at, tagEnd)).toUpperCase(),
      value: bytes.subarray(valueAt, valueAt + length),
    });
    at = valueAt + length;
  }
  return list;
}

/** The value behind a path of tags. @throws Fault CARD_ANSWER_MALFORMED when it is not there */
export function tlvAt(bytes: Bytes, ...path: readonly string[]): Bytes {
  return path.reduce((inside, tag) => {
    const found = decodeTlv(inside).find((object) => object.tag === tag);
    if (found === undefined) throw malformed(`no ${tag}`);
    return found.value;
  }, bytes);
}

export function encodeTlv(tag: string, ...value: readonly Bytes[]): Bytes {
  const content = concat(...value);
  const n = content.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return concat(fromHex(tag), Uint8Array.from(length), content);
}

function endOfTag(bytes: Bytes, at: number): number {
  if (((bytes[at] ?? 0) & 0x1f) !== 0x1f) return at + 1;
  let end = at + 1;
  while (((bytes[end] ?? 0) & 0x80) !== 0 && end < at + 3) end++;
  if (end >= bytes.length) throw malformed('tag is cut off');
  return end + 1;
}

function malformed(what: string): Fault {
  return new Fault('CARD_ANSWER_MALFORMED', { object: what });
}
