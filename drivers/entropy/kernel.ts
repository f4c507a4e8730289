import { randomBytes } from 'node:crypto';
import type { Entropy } from '../../runtime/core/ports.ts';

/** Randomness of the kernel. */
export function openKernelEntropy(): Entropy {
  return { bytes: (count) => randomBytes(count) };
}
