/** Lets one mutant live through the sweep and through many nights, until a rule is broken. */
import { liveThroughAll } from '../crew.ts';
import { singles, swept } from '../sweep.ts';
import type { Mutant } from './table.ts';

export interface Trial {
  /** The first rule that was broken; null for a mutant that is alive. */
  readonly killed: { readonly rule: string; readonly text: string } | null;
  /** Nights until then. */
  readonly nights: number;
}

/** Without the stack, which names places of this machine: the text is published. */
const firstLineOf = (text: string): string => (text.split('\n', 1)[0] ?? '').replace(/,"stack":.*$/, '');

/** Of the sweep, one night in so many comes first: kills at every place, but not each twice. */
const SWEEP_STRIDE = 9;

export async function trial(
  mutant: Mutant,
  { nights, workers }: { readonly nights: number; readonly workers: number },
): Promise<Trial> {
  const { mishaps } = await singles();
  const some = mishaps.filter((_, i) => i % SWEEP_STRIDE === 0).map((mishap) => swept([mishap]));
  const seeds = Array.from({ length: nights }, (_, i) => String(i + 1));
  const options = { workers, failuresMax: 1, mutant: mutant.name, chunk: 5 };
  const tally = await liveThroughAll([...seeds.slice(0, 40), ...some, ...seeds.slice(40)], options);
  const first = tally.failures[0]?.violations[0];
  return {
    killed: first === undefined ? null : { rule: first.rule, text: firstLineOf(first.text) },
    nights: tally.nights,
  };
}
