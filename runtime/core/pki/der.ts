/**
 * A strict DER writer and reader, as much of it as certificates need: short tags, minimal lengths, minimal
 * integers.
 *
 * @see ITU-T X.690 sections 8 and 10
 */
import { type Bytes, bigEndian, concat, fromText, toText } from '../bytes.ts';

/** Universal tags. X.680 section 8.6; constructed ones include bit 20. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific tag, constructed or primitive. */
export function contextTag(number: number, constructed: boolean): number {
  return (constructed ? 0xa0 : 0x80) | number;
}

export function der(tag: number, ...content: readonly Bytes[]): Bytes {
  const body = concat(...content);
  return concat(Uint8Array.of(tag), lengthOf(body.length), body);
}

export function sequence(...members: readonly Bytes[]): Bytes {
  return der(Tag.sequence, ...members);
}

export function set(...members: readonly Bytes[]): Bytes {
  return der(Tag.set, ...members);
}

/** An unsigned number from its bytes, big endian. */
export function integer(unsigned: Bytes): Bytes {
  let start = 0;
  while (start < unsigned.length - 1 && unsigned[start] === 0) start++;
  const body = unsigned.subarray(start);
  return (body[0] ?? 0) >= 0x80 ? der(Tag.integer, Uint8Array.of(0), body) : der(Tag.integer, body);
}

export function oid(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const arcs = [40 * first + second, ...rest];
  if (arcs.some((arc) => !Number.isSafeInteger(arc) || arc < 0)) throw new RangeError('not an OID');
  return der(Tag.oid, ...arcs.map(base128));
}

export function octetString(content: Bytes): Bytes {
  return der(Tag.octetString, content);
}

/** Whole bytes. */
export function bitString(content: Bytes): Bytes {
  return der(Tag.bitString, Uint8Array.of(0), content);
}

export function printableString(text: string): Bytes {
  if (!PRINTABLE.test(text)) throw new RangeError('not a PrintableString');
  return der(Tag.printableString, fromText(text));
}

export function utf8String(text: string): Bytes {
  return der(Tag.utf8String, fromText(text));
}

/** Only TRUE is ever written: DER leaves a DEFAULT FALSE out. */
export const TRUE: Bytes = Uint8Array.of(Tag.boolean, 0x01, 0xff);

export interface Node {
  readonly tag: number;
  readonly content: Bytes;
  /** Tag, length and content. */
  readonly whole: Bytes;
}

/** Reads one value that fills `bytes`. @throws RangeError when that is not DER */
export function read(bytes: Bytes): Node {
  const [node, ...more] = readAll(bytes);
  if (node === undefined || more.length > 0) throw new RangeError('not one DER value');
  return node;
}

/** Reads the values that fill `bytes`, one after the other. @throws RangeError when that is not DER */
export function readAll(bytes: Bytes): readonly Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const node = readAt(bytes, at);
    nodes.push(node);
    at += node.whole.length;
  }
  return nodes;
}

/** The members of a constructed value. @throws RangeError when the tag is another, or the content is not DER */
export function members(node: Node | undefined, tag: number): readonly Node[] {
  return readAll(contentOf(node, tag));
}

/** The content of a value with this tag. @throws RangeError for another tag */
export function contentOf(node: Node | undefined, tag: number): Bytes {
  if (node?.tag !== tag) throw new RangeError(`expected tag ${tag.toString(16)}`);
  return node.content;
}

/** An unsigned INTEGER without its leading 00. @throws RangeError when it is negative or not minimal */
export function readInteger(node: Node | undefined): Bytes {
  const content = contentOf(node, Tag.integer);
  const [first = 0, second = 0] = content;
  if (content.length === 0 || first >= 0x80) throw new RangeError('not an unsigned INTEGER');
  if (content.length > 1 && first === 0) {
    if (second < 0x80) throw new RangeError('not a minimal INTEGER');
    return content.subarray(1);
  }
  return content;
}

/** Whole bytes of a BIT STRING. @throws RangeError when bits are unused */
export function readBitString(node: Node | undefined): Bytes {
  const content = contentOf(node, Tag.bitString);
  if (content[0] !== 0) throw new RangeError('not a BIT STRING of whole bytes');
  return content.subarray(1);
}

export function readOid(node: Node | undefined): string {
  const content = contentOf(node, Tag.oid);
  const arcs: number[] = [];
  let arc = 0;
  for (const [i, byte] of content.entries()) {
    if (arc === 0 && byte === 0x80) throw new RangeError('not a minimal OID');
    arc = arc * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(arc)) throw new RangeError('OID arc too large');
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    } else if (i === content.length - 1) throw new RangeError('OID without end');
  }
  const [head = 0, ...rest] = arcs;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - 40 * first, ...rest].join('.');
}

/** PrintableString or UTF8String. */
export function readText(node: Node | undefined): string {
  if (node?.tag !== Tag.printableString && node?.tag !== Tag.utf8String)
    throw new RangeError('expected a string');
  return toText(node.content);
}

/** X.680 section 41.4, table 10. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
/** Longest length field we read: 4 bytes cover every certificate and CRL. */
const LENGTH_BYTES_MAX = 4;

function readAt(bytes: Bytes, at: number): Node {
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1];
  if (first === undefined || (tag & 0x1f) === 0x1f) throw new RangeError('not DER: tag');
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const size = first & 0x7f;
    if (size === 0 || size > LENGTH_BYTES_MAX) throw new RangeError('not DER: length');
    const field = bytes.subarray(start, start + size);
    length = field.reduce((value, byte) => value * 256 + byte, 0);
    start += size;
    if (length < 0x80 || field[0] === 0) throw new RangeError('not DER: length is not minimal');
  }
  const end = start + length;
  if (end > bytes.length) throw new RangeError('not DER: too short');
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) };
}

function lengthOf(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length);
  const size = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
  return concat(Uint8Array.of(0x80 | size), bigEndian(length, size));
}

function base128(arc: number): Bytes {
  const digits = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift(0x80 | (rest % 128));
  return Uint8Array.from(digits);
}
