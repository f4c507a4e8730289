/** Byte strings without Node's Buffer: the core runs wherever TypeScript does. */

export type Bytes = Uint8Array;

/** Value of each hexadecimal digit by its code, 255 for all others. */
const DIGIT_OF = new Uint8Array(128).fill(255);
for (const [i, digit] of [...'0123456789abcdef'].entries()) {
  DIGIT_OF[digit.charCodeAt(0)] = i;
  DIGIT_OF[digit.toUpperCase().charCodeAt(0)] = i;
}

/** White space is passed over. @throws RangeError when `text` is not an even number of hexadecimal digits. */
export function fromHex(text: string): Bytes {
  const compact = /\s/.test(text) ? text.replace(/\s/g, '') : text;
  const bytes = new Uint8Array(compact.length >> 1);
  for (let i = 0; i < compact.length; i += 2) {
    const high = DIGIT_OF[compact.charCodeAt(i)] ?? 255;
    const low = DIGIT_OF[compact.charCodeAt(i + 1)] ?? 255;
    if (high === 255 || low === 255) throw new RangeError('not hexadecimal');
    bytes[i >> 1] = (high << 4) | low;
  }
  return bytes;
}

const HEX_OF = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/** Lower-case, without separators: `toHex(Uint8Array.of(0x9f, 0x7f))` is `9f7f`. */
export function toHex(bytes: Bytes): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += HEX_OF[bytes[i] ?? 0];
  return text;
}

export function concat(...parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Compares in a time that depends on the lengths alone. */
export function equal(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

export function xor(a: Bytes, b: Bytes): Bytes {
  return a.map((value, i) => value ^ (b[i] ?? 0));
}

/** `value` as `size` bytes, big endian. */
export function bigEndian(value: number | bigint, size: number): Bytes {
  const bytes = new Uint8Array(size);
  if (typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)) {
    for (let i = size - 1, left = value; i >= 0; i--, left = Math.floor(left / 256)) bytes[i] = left % 256;
    return bytes;
  }
  let rest = BigInt(value);
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Reads at most six bytes, big endian, as a number. */
export function toNumber(bytes: Bytes): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Pure, and in every JavaScript runtime, but in no library of the language itself. WHATWG Encoding. */
declare const TextEncoder: new () => { encode(text: string): Bytes };
declare const TextDecoder: new (
  label: 'utf-8',
  options: { readonly fatal: true; readonly ignoreBOM: true },
) => { decode(bytes: Bytes): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8; a lone surrogate becomes U+FFFD. */
export function fromText(text: string): Bytes {
  return encoder.encode(text);
}

/** UTF-8. @throws RangeError when the bytes are not well-formed. */
export function toText(bytes: Bytes): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new RangeError('not UTF-8', { cause: error });
  }
}

/** Characters made in one call: well below what a call stack holds. */
const CHARACTERS_MAX = 4096;

function fromCodes(codes: Bytes): string {
  let text = '';
  for (let at = 0; at < codes.length; at += CHARACTERS_MAX) {
    const part: ArrayLike<number> = codes.subarray(at, at + CHARACTERS_MAX);
    // `apply` takes anything like an array, which its type does not say, without walking an iterator.
    text += String.fromCharCode.apply(null, part as number[]);
  }
  return text;
}

const ALPHABET = fromText('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const ALPHABET_URL = fromText('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** RFC 4648 section 4, padded. */
export function toBase64(bytes: Bytes): string {
  const text = encode64(bytes, ALPHABET);
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** RFC 4648 section 5, without padding (RFC 7515). */
export function toBase64Url(bytes: Bytes): string {
  return encode64(bytes, ALPHABET_URL);
}

function encode64(bytes: Bytes, alphabet: Bytes): string {
  const codes = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes[i] ?? 0;
    const b = bytes[i + 1] ?? 0;
    const c = bytes[i + 2] ?? 0;
    codes[at++] = alphabet[a >> 2] ?? 0;
    codes[at++] = alphabet[((a & 3) << 4) | (b >> 4)] ?? 0;
    // Writing behind the end of the last group has no effect.
    codes[at++] = alphabet[((b & 15) << 2) | (c >> 6)] ?? 0;
    codes[at++] = alphabet[c & 63] ?? 0;
  }
  return fromCodes(codes);
}

/** Value of each character in either alphabet, 255 for all others. */
const VALUE_OF = new Uint8Array(128).fill(255);
for (const alphabet of [ALPHABET, ALPHABET_URL])
  for (const [value, code] of alphabet.entries()) VALUE_OF[code] = value;

/** Either alphabet, padding optional. @throws RangeError when the text is not canonical base64. */
export function fromBase64(text: string): Bytes {
  let length = text.length;
  while (length > 0 && text.charCodeAt(length - 1) === 0x3d) length -= 1;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < length; i++) {
    const value = VALUE_OF[text.charCodeAt(i)] ?? 255;
    if (value === 255) throw new RangeError('not base64');
    buffer = ((buffer << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (buffer >> bits) & 0xff;
    }
  }
  if (bits >= 6 || (buffer & ((1 << bits) - 1)) !== 0) throw new RangeError('not canonical base64');
  return bytes;
}
