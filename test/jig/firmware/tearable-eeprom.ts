/**
 * For tests: EEPROM that can lose power while it writes. The emulator stores a byte when its writing begins; a
 * cut within the time that takes on the chip leaves something else.
 */
import type { EEPROMBackend } from 'avr8js';
import type { Bytes } from '../../../runtime/core/bytes.ts';

/** What a cut leaves of a byte that was being written: as it was, erased, some of its bits, or as it should be. */
export const torn = ['kept', 'erased', 'half', 'done'] as const;
export type Torn = (typeof torn)[number];

export interface TearableEeprom {
  readonly backend: EEPROMBackend;
  readonly bytes: Bytes;
  writes(): number;
  tear(how: Torn): void;
}

const EEPROM_BYTES = 1_024;
/** Erasing and writing, 3.6 ms at 16 MHz. */
const WRITE_CYCLES = 57_600;

export function createTearableEeprom(
  image: Bytes | undefined,
  cycles: () => number,
  isWorn: (place: number) => boolean = () => false,
): TearableEeprom {
  const bytes = new Uint8Array(EEPROM_BYTES).fill(0xff);
  if (image !== undefined) bytes.set(image);
  let count = 0;
  let last = { place: 0, before: 0xff, after: 0xff, at: Number.NEGATIVE_INFINITY };
  const change = (place: number, after: number): void => {
    const now = cycles();
    if (isWorn(place)) return;
    // Erasing and writing come as two calls of one moment.
    const before = last.place === place && last.at === now ? last.before : (bytes[place] ?? 0xff);
    if (last.at !== now) count += 1;
    last = { place, before, after, at: now };
    bytes[place] = after;
  };
  return {
    backend: {
      readMemory: (place) => bytes[place] ?? 0xff,
      eraseMemory: (place) => change(place, 0xff),
      writeMemory: (place, value) => change(place, (bytes[place] ?? 0xff) & value),
    },
    bytes,
    writes: () => count,
    tear: (how) => {
      if (cycles() - last.at >= WRITE_CYCLES) return;
      const { place, before, after } = last;
      bytes[place] = { kept: before, erased: 0xff, half: after | (0xff ^ 0x5a), done: after }[how];
    },
  };
}
