/** UUIDs from entropy that the caller brings. @see RFC 9562 sections 5.4 and 5.7 */
import { type Bytes, bigEndian, concat, toHex } from './bytes.ts';

/** Version 4, from 16 random bytes. */
export function uuidV4(random: Bytes): string {
  return format(random, 4);
}

/** Version 7, from milliseconds since 1970 and 10 random bytes. */
export function uuidV7(ms: number, random: Bytes): string {
  return format(concat(bigEndian(ms, 6), random.subarray(0, 10)), 7);
}

function format(bytes: Bytes, version: number): string {
  const marked = bytes.slice(0, 16);
  marked[6] = ((marked[6] ?? 0) & 0x0f) | (version << 4);
  marked[8] = ((marked[8] ?? 0) & 0x3f) | 0x80;
  const text = toHex(marked);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
    '-',
  );
}
