/** How a new input is made of those that showed something. */
import type { SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';

/** Values at which lengths and signs turn. */
const TURNING = [0x00, 0x01, 0x02, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x83, 0xff];
const INPUT_BYTES_MAX = 2_048;
const STEPS_MAX = 4;
/** How often the input that showed something last is changed again: what is behind it is near. */
const LAST_SHARE = 0.4;

/** @param words pieces that mean something to the code under test */
export function mutated(corpus: readonly Bytes[], words: readonly Bytes[], entropy: SimulatedEntropy): Bytes {
  const upTo = (count: number): number => Math.floor(entropy.fraction() * count);
  const pick = <T>(list: readonly T[]): T | undefined => list[upTo(list.length)];
  let bytes = [...((entropy.chance(LAST_SHARE) ? corpus.at(-1) : pick(corpus)) ?? [])];
  const steps: readonly (() => void)[] = [
    () => set(bytes, upTo(bytes.length), (byte) => byte ^ (1 << upTo(8))),
    () => set(bytes, upTo(bytes.length), () => upTo(256)),
    () => set(bytes, upTo(bytes.length), () => pick(TURNING) ?? 0),
    () => bytes.splice(upTo(bytes.length + 1), 0, ...entropy.bytes(1 + upTo(4))),
    () => bytes.splice(upTo(bytes.length), 1 + upTo(8)),
    () => bytes.splice(upTo(bytes.length + 1), 0, ...(pick(words) ?? [])),
    () => {
      const word = pick(words) ?? [];
      bytes.splice(upTo(bytes.length), word.length, ...word);
    },
    () => {
      const other = pick(corpus) ?? [];
      bytes = [...bytes.slice(0, upTo(bytes.length + 1)), ...other.slice(upTo(other.length + 1))];
    },
  ];
  for (let left = STEPS_MAX; left > 0 && (left === STEPS_MAX || entropy.chance(0.5)); left--) pick(steps)?.();
  return Uint8Array.from(bytes.slice(0, INPUT_BYTES_MAX));
}

function set(bytes: number[], at: number, to: (byte: number) => number): void {
  const byte = bytes[at];
  if (byte !== undefined) bytes[at] = to(byte) & 0xff;
}
