/** The exhaustive sweep: one unit, and one mishap at the first crossing of a port, at the second, and so on to the last. */
import type { Death } from './life.ts';
import { liveThrough } from './night.ts';
import type { Mishap, Story } from './story.ts';

type AtCrossing = Extract<Mishap, { readonly nth: number }>;

const death = (kept: boolean, power: boolean): Death => ({ downMs: 300, kept, power });

/** What befalls a program at a crossing. A gateway and a backend keep nothing that a power cut could take. */
const ordersOf = {
  station: [
    { kind: 'kill', death: death(false, false) },
    { kind: 'kill', death: death(true, true) },
    { kind: 'fail' },
  ],
  gateway: [{ kind: 'kill', death: death(false, false) }, { kind: 'fail' }],
  backend: [{ kind: 'kill', death: death(false, false) }, { kind: 'fail' }],
} as const;

const CALM_MS = 6_000;
const quiet: Omit<Story, 'seed' | 'mishaps'> = {
  stations: 1,
  units: 1,
  realCrypto: false,
  weather: { lossRate: 0, duplicateRate: 0, delayMs: { min: 1, max: 4 } },
  fates: { repeat: 0, fail: 0, loseAnswer: 0, delayMsMax: 0 },
  liars: {},
  calmMs: CALM_MS,
};

/** A night with these mishaps and nothing else. */
export function swept(mishaps: readonly Mishap[]): Story {
  return { ...quiet, seed: 'sweep', mishaps };
}

export interface Singles {
  /** Every mishap at every crossing of one undisturbed night. */
  readonly mishaps: readonly AtCrossing[];
  /** What that night crossed: at each of these somebody has to die. */
  readonly crossed: readonly string[];
}

export async function singles(): Promise<Singles> {
  const { crossings, crossed } = await liveThrough(swept([]));
  const mishaps = Object.entries(crossings).flatMap(([program, count]) =>
    ordersOf[program.split('-')[0] as keyof typeof ordersOf].flatMap((order) =>
      Array.from({ length: count }, (_, i): AtCrossing => ({ program, nth: i + 1, ...order })),
    ),
  );
  return { mishaps, crossed };
}

/** How many crossings after the first a second mishap may strike: the way through, and its resumption. */
const SECOND_WITHIN = 400;

/** Every first with every second; the second is counted over the lives of its program, so it may strike its recovery. */
export function* pairs(firsts: readonly AtCrossing[], stride: number, offset: number): Generator<Story> {
  let number = 0;
  for (const first of firsts)
    for (const second of firsts) {
      const later = second.program !== first.program || second.nth > first.nth;
      if (!later || (second.program === first.program && second.nth > first.nth + SECOND_WITHIN)) continue;
      if (number++ % stride === offset) yield swept([first, second]);
    }
}
