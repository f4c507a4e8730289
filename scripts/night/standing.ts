/** What all mischief of one night works on. */
import type { SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import type { Plant } from './plant.ts';
import type { Mishap, MishapKind, Story } from './story.ts';

export type AtCrossing = Extract<Mishap, { nth: number }>;

export interface Standing {
  readonly story: Story;
  readonly struck: Map<MishapKind, number>;
  readonly crossed: Set<string>;
  readonly died: Set<string>;
  readonly inHand: Set<number>;
  readonly counts: Map<string, number>;
  /** By program and number. */
  readonly atCrossings: ReadonlyMap<string, AtCrossing>;
  readonly draw: SimulatedEntropy;
  readonly backups: Map<Mishap, () => void>;
  plant: Plant | null;
}

export function count({ struck }: Standing, { kind }: Mishap): void {
  struck.set(kind, (struck.get(kind) ?? 0) + 1);
}
