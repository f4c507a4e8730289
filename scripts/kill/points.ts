/** Which named points a run visits: all of them, or some drawn by a seed. */
import type { SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { failpoints } from '../../runtime/core/operation/failpoints.ts';

/** `count`: how many, null for all. The same seed draws the same points. */
export function choosePoints(count: number | null, entropy: SimulatedEntropy): readonly string[] {
  const left = [...failpoints()];
  if (count === null) return left;
  return Array.from({ length: Math.min(count, left.length) }, () => {
    const [point] = left.splice(Math.floor(entropy.fraction() * left.length), 1);
    return point ?? '';
  });
}
