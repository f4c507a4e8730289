/** All that happened in a simulated plant, as one hash. */
import { createHash } from 'node:crypto';
import type { VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import type { SimulatedStation } from './station.ts';

/** SHA-256 over gate logs, journals and chips. */
export function historyHashOf(
  stations: readonly SimulatedStation[],
  chips: ReadonlyMap<number, VirtualSe>,
): string {
  const hash = createHash('sha256');
  for (const station of stations) {
    hash.update(JSON.stringify(station.gateLog));
    for (const [key, value] of [...station.disk.durable].sort(([a], [b]) => (a < b ? -1 : 1)))
      hash.update(key).update(value);
  }
  for (const [unit, chip] of [...chips].sort(([a], [b]) => a - b))
    hash.update(`${unit}${JSON.stringify(chip.state)}`);
  return hash.digest('hex');
}
