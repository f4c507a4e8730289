/** Intel HEX: what compilers write and programmers of microcontrollers read. Data records and the end, no segments. */
import { type Bytes, concat, fromHex, toHex } from '../../runtime/core/bytes.ts';

const RECORD_BYTES = 16;
const END_OF_FILE = ':00000001FF';

/** @throws RangeError when a record is damaged, of another kind, or lies behind `size`. Gaps are FF, as in blank flash. */
export function readIntelHex(text: string, size: number): Bytes {
  const image = new Uint8Array(size).fill(0xff);
  for (const line of text.split(/\r?\n/).filter((row) => row !== '')) {
    const record = fromHex(line.slice(1));
    const [count = 0, high = 0, low = 0, kind = 0] = record;
    const place = high * 256 + low;
    const sum = record.reduce((total, byte) => (total + byte) & 0xff, 0);
    if (sum !== 0 || record.length !== count + 5 || kind > 1) throw new RangeError(`not a record: ${line}`);
    if (kind === 1) return image;
    if (place + count > size) throw new RangeError(`does not fit into ${size} bytes: ${line}`);
    image.set(record.subarray(4, 4 + count), place);
  }
  throw new RangeError('the last record is missing');
}

export function writeIntelHex(image: Bytes): string {
  const lines: string[] = [];
  for (let place = 0; place < image.length; place += RECORD_BYTES) {
    const data = image.subarray(place, place + RECORD_BYTES);
    const record = concat(Uint8Array.of(data.length, place >> 8, place & 0xff, 0), data);
    const sum = record.reduce((total, byte) => (total + byte) & 0xff, 0);
    lines.push(`:${toHex(concat(record, Uint8Array.of(-sum & 0xff))).toUpperCase()}`);
  }
  return `${[...lines, END_OF_FILE].join('\n')}\n`;
}
