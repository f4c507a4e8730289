/** What a misfortune is: what it strikes, what may end by it, and what is expected of the line. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import type { ChaosStand, PartName } from './stand.ts';

export interface Nemesis {
  readonly kind: string;
  /** Parts that nothing else may strike at the same time. */
  readonly on: readonly PartName[];
  /** Parts that may end by it, to be brought back; the end of any other is a finding. */
  readonly mayEnd: readonly PartName[];
  /** What becomes of the unit in the nest, in a sentence. */
  readonly expects: string;
  /** Why it cannot be brought about on this machine; null where it can. */
  readonly impossible?: () => string | null;
  /** Resolves when the misfortune is over. @throws NotStruck when it did not come about */
  strike(stand: ChaosStand, draw: SimulatedEntropy): Promise<void>;
}

/** A misfortune that did not come about: a run with one proves less than it says. */
export class NotStruck extends Error {}

/** How long misfortunes last that end by themselves: longer than every deadline of the wire, drawn. */
const LASTING_MS = { least: 700, most: 3_000 };

export function lastingMs(draw: SimulatedEntropy): number {
  return Math.round(LASTING_MS.least + draw.fraction() * (LASTING_MS.most - LASTING_MS.least));
}

export async function last(draw: SimulatedEntropy): Promise<void> {
  await sleep(lastingMs(draw));
}
