/**
 * Judges a log of LevelDB before LevelDB sees it: opening drops what does not verify, silently, and deletes the log.
 *
 * @see LevelDB doc/log_format.md
 */

/** A log is blocks of fragments. A fragment: checksum (4), length (2), both little endian, type (1), payload. */
const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
const Fragment = { full: 1, first: 2, middle: 3, last: 4 } as const;

/**
 * `torn`: it ends in the middle of a write that nobody was told of, or its end is lost. `damaged`: whole records
 * follow a broken one. A cut exactly between two records shows in neither: that is the witness's work.
 */
export type LogState = 'whole' | 'torn' | 'damaged';

export function judgeLog(log: Buffer): LogState {
  let at = 0;
  let recordEnd = 0;
  while (at < log.length) {
    const room = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (room < HEADER_BYTES) {
      at += room;
      continue;
    }
    const size = fragmentAt(log, at);
    if (size === 0) break;
    const type = log[at + 6];
    at += size;
    if (type === Fragment.full || type === Fragment.last) recordEnd = at;
  }
  if (at >= log.length) return recordEnd === at || recordEnd === log.length ? 'whole' : 'torn';
  // Byte by byte: whoever skips to the next block takes damage in the last block for a torn end.
  for (let next = at + 1; next < log.length; next++) {
    const type = log[next + 6];
    if ((type === Fragment.full || type === Fragment.first) && fragmentAt(log, next) > 0) return 'damaged';
  }
  return 'torn';
}

/** The intact records from the beginning up to the first broken one. LevelDB's MANIFEST has the form of a log. */
export function recordsOf(log: Buffer): readonly Buffer[] {
  const records: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at < log.length; ) {
    const room = BLOCK_BYTES - (at % BLOCK_BYTES);
    const size = room < HEADER_BYTES ? room : fragmentAt(log, at);
    if (size === 0) break;
    const type = log[at + 6];
    if (room >= HEADER_BYTES) {
      parts.push(log.subarray(at + HEADER_BYTES, at + size));
      if (type === Fragment.full || type === Fragment.last) {
        records.push(Buffer.concat(parts));
        parts = [];
      }
    }
    at += size;
  }
  return records;
}

/** Length of the intact fragment at `at`, or 0. */
function fragmentAt(log: Buffer, at: number): number {
  const end = Math.min(log.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES);
  if (at + HEADER_BYTES > end) return 0;
  const type = log.readUInt8(at + 6);
  const next = at + HEADER_BYTES + log.readUInt16LE(at + 4);
  if (type < Fragment.full || type > Fragment.last || next > end) return 0;
  return masked(crc32c(log.subarray(at + 6, next))) === log.readUInt32LE(at) ? next - at : 0;
}

/** LevelDB stores a checksum rotated and shifted, so that a checksum over checksums stays one. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Castagnoli's polynomial, reflected. RFC 3720 appendix B.4. */
const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  let crc = value;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
