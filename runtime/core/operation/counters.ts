/** What a nest has seen since its journal began: consumed = processed + defective + interrupted + units now in it. */
import type { FactName } from './facts.ts';

export interface Counters {
  readonly consumed: number;
  readonly processed: number;
  readonly defective: number;
  readonly interrupted: number;
  readonly holds: number;
  readonly resumed: number;
}

export const NOTHING_COUNTED: Counters = {
  consumed: 0,
  processed: 0,
  defective: 0,
  interrupted: 0,
  holds: 0,
  resumed: 0,
};

const COUNTER: Partial<Record<FactName, keyof Counters>> = {
  arrived: 'consumed',
  released: 'processed',
  diverted: 'defective',
  interrupted: 'interrupted',
  held: 'holds',
  resumed: 'resumed',
};

/** Counts one fact of the nest. */
export function counted(counters: Counters, name: FactName): Counters {
  const counter = COUNTER[name];
  return counter === undefined ? counters : { ...counters, [counter]: counters[counter] + 1 };
}

/** Both together: what was counted up to a cut, and after it. */
export function sumOf(a: Counters, b: Counters): Counters {
  return {
    consumed: a.consumed + b.consumed,
    processed: a.processed + b.processed,
    defective: a.defective + b.defective,
    interrupted: a.interrupted + b.interrupted,
    holds: a.holds + b.holds,
    resumed: a.resumed + b.resumed,
  };
}
