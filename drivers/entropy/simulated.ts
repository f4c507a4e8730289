import { createHash } from 'node:crypto';
import type { Entropy } from '../../runtime/core/ports.ts';

export interface SimulatedEntropy extends Entropy {
  /** A fraction in [0, 1). */
  fraction(): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
}

/** SHA-256 in counter mode over a seed: the same seed gives the same bytes for ever. */
export function createSimulatedEntropy(seed: string): SimulatedEntropy {
  let counter = 0;
  let pool = Buffer.alloc(0);
  const bytes = (count: number): Buffer => {
    while (pool.length < count)
      pool = Buffer.concat([pool, createHash('sha256').update(`${seed}/${counter++}`).digest()]);
    const taken = pool.subarray(0, count);
    pool = pool.subarray(count);
    return Buffer.from(taken);
  };
  const fraction = (): number => bytes(6).readUIntBE(0, 6) / 2 ** 48;
  return { bytes, fraction, chance: (probability) => fraction() < probability };
}
