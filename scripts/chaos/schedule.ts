/** What happens in each round, from the seed alone: which misfortunes, when, and which units are bad. */
import { createSimulatedEntropy, type SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import type { Nemesis } from './nemesis.ts';

export interface Strike {
  readonly nemesis: Nemesis;
  /** After the arrival of a unit. */
  readonly afterMs: number;
  readonly draw: SimulatedEntropy;
  /** Begins with the strike before it, not after. */
  readonly together: boolean;
}

export interface Round {
  readonly number: number;
  readonly units: number;
  /** Which of them has foreign keys, from 0; null for none. */
  readonly foreign: number | null;
  readonly strikes: readonly Strike[];
}

/** About as long as one unit takes. */
const STRIKE_WITHIN_MS = 450;
const STRIKES = 2;
const UNITS = { least: 4, most: 6 };

/** Deals every nemesis once before any comes again. */
export function roundsOf(seed: string, count: number, nemeses: readonly Nemesis[]): readonly Round[] {
  let deck: Nemesis[] = [];
  const deal = createSimulatedEntropy(`${seed}/deck`);
  const next = (): Nemesis => {
    if (deck.length === 0) deck = shuffled(nemeses, deal);
    const nemesis = deck.pop();
    if (nemesis === undefined) throw new RangeError('no nemesis can strike');
    return nemesis;
  };
  return Array.from({ length: count }, (_, i) => {
    const number = i + 1;
    const entropy = createSimulatedEntropy(`${seed}/${number}`);
    const units = UNITS.least + Math.floor(entropy.fraction() * (UNITS.most - UNITS.least + 1));
    const foreign = entropy.chance(0.15) ? Math.floor(entropy.fraction() * units) : null;
    const strikes: Strike[] = [];
    for (let strike = 0; strike < STRIKES; strike++) {
      const nemesis = next();
      strikes.push({
        nemesis,
        afterMs: Math.floor(entropy.fraction() * STRIKE_WITHIN_MS),
        draw: createSimulatedEntropy(`${seed}/${number}/${strike}`),
        together:
          entropy.chance(0.3) && strike > 0 && strikes.every((other) => mayMeet(other.nemesis, nemesis)),
      });
    }
    return { number, units, foreign, strikes };
  });
}

/** Whether both can be about at once without one undoing what the other strikes. */
function mayMeet(one: Nemesis, other: Nemesis): boolean {
  const touched = new Set([...one.on, ...one.mayEnd]);
  return ![...other.on, ...other.mayEnd].some((name) => touched.has(name));
}

function shuffled(nemeses: readonly Nemesis[], entropy: SimulatedEntropy): Nemesis[] {
  const left = [...nemeses];
  return nemeses.flatMap(() => left.splice(Math.floor(entropy.fraction() * left.length), 1));
}
