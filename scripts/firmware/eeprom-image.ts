/**
 * What a gate controller's EEPROM holds when it is commissioned: who it is, and a memory to begin with. Without
 * both the firmware does nothing. The layout stands in `drivers/jig/firmware/identity.h` and `memory.h`.
 */
import { crc16 } from '../../drivers/jig/extension.ts';
import { type Bytes, bigEndian, concat, fromText } from '../../runtime/core/bytes.ts';

export interface Commissioning {
  /** 1 to 16 characters of a-z, 0-9 and hyphen. */
  readonly controller: string;
  /** 1 to 8 characters of the same. */
  readonly nest: string;
  /** AES-128. */
  readonly tagKey: Bytes;
  /** The gate closes when nothing was heard of the host for so long. */
  readonly hostTimeoutMs: number;
  /** The gate closes by itself when the unit has not left by then. */
  readonly openTimeoutMs: number;
  /** Boots so far. Higher than any before under the same key, so that no arrival comes again. */
  readonly boots: number;
}

export const EEPROM_BYTES = 1_024;
const IDENTITY_PLACE = 1;
const MEMORY_PLACE = 64;
const SLOT_BYTES = 32;
const COUNTS = 0xa5;
const KEY_BYTES = 16;
/** The firmware's clock runs over after 65.5 s. */
const TIMEOUT_MS_MAX = 60_000;
const TIMEOUT_MS_MIN = 100;
const BOOTS_MAX = 2 ** 28 - 1;
const MINUTE_MS = 60_000;

/** @throws RangeError when a name, a time or the key does not fit */
export function eepromImage(options: Commissioning): Bytes {
  const { controller, nest, tagKey, hostTimeoutMs, openTimeoutMs, boots } = options;
  if (tagKey.length !== KEY_BYTES) throw new RangeError('the tag key is not one of AES-128');
  for (const ms of [hostTimeoutMs, openTimeoutMs])
    if (!Number.isInteger(ms) || ms < TIMEOUT_MS_MIN || ms > TIMEOUT_MS_MAX)
      throw new RangeError(`a time-out of ${ms} ms is not within ${TIMEOUT_MS_MIN} to ${TIMEOUT_MS_MAX}`);
  if (boots < 0 || boots >= BOOTS_MAX) throw new RangeError(`not a number of boots: ${boots}`);
  const timeouts = concat(bigEndian(hostTimeoutMs, 2), bigEndian(openTimeoutMs, 2));
  const identity = concat(fromText('HFG1'), tagKey, name(controller, 16), name(nest, 8), timeouts);
  const memory = concat(bigEndian(1, 4), bigEndian(boots, 4), new Uint8Array(3 * 6 + 1));
  const image = new Uint8Array(EEPROM_BYTES).fill(0xff);
  image.set(checked(identity), IDENTITY_PLACE);
  // Every slot has the same bytes and one of them counts: the firmware skips what is right already.
  for (let place = MEMORY_PLACE; place < EEPROM_BYTES; place += SLOT_BYTES)
    image.set(concat(Uint8Array.of(place === MEMORY_PLACE ? COUNTS : 0), checked(memory)), place);
  return image;
}

/** A beginning that lies behind every boot so far, as long as the board starts less than once a minute. */
export function bootsAt(nowMs: number): number {
  return Math.floor(nowMs / MINUTE_MS);
}

function checked(bytes: Bytes): Bytes {
  return concat(bytes, bigEndian(crc16(bytes), 2));
}

function name(text: string, size: number): Bytes {
  if (!/^[a-z0-9-]+$/.test(text) || text.length > size) throw new RangeError(`not a name: ${text}`);
  return concat(fromText(text), new Uint8Array(size - text.length));
}
