/** What befalls a transaction of a simulated store: decided for each try before it begins. */
import type { Entropy } from '../../runtime/core/ports.ts';

/**
 * `repeat`: the database asks for the whole transaction again (40001). `fail`: the connection dies and
 * nothing is stored. `lose-answer`: it is stored, and nobody is told.
 */
export type Misfortune = 'none' | 'repeat' | 'fail' | 'lose-answer';

export interface Fate {
  readonly misfortune: Misfortune;
  /** `repeat` and `fail` strike at the verb after this many; after the last one they strike at COMMIT. */
  readonly afterVerbs: number;
  /** Before the transaction begins, and again before its answer arrives. */
  readonly delayMs: number;
}

/** Asked once for each try of a transaction. */
export type Fates = () => Fate;

export const kindFates: Fates = () => ({ misfortune: 'none', afterVerbs: 0, delayMs: 0 });

/** How likely each is, in percent; together at most 100. */
export interface Odds {
  readonly repeat: number;
  readonly fail: number;
  readonly loseAnswer: number;
  /** A delay lies between 0 and this. */
  readonly delayMsMax: number;
}

/** Verbs of the longest transaction there is, about. */
const VERBS_MAX = 12;

/** The same entropy gives the same fates. */
export function seededFates(entropy: Entropy, odds: Odds): Fates {
  const below = (bound: number): number => {
    const [a = 0, b = 0, c = 0] = entropy.bytes(3);
    return Math.floor((((a << 16) | (b << 8) | c) / 2 ** 24) * bound);
  };
  return () => {
    const draw = below(10_000) / 100;
    const misfortune =
      draw < odds.repeat
        ? 'repeat'
        : draw < odds.repeat + odds.fail
          ? 'fail'
          : draw < odds.repeat + odds.fail + odds.loseAnswer
            ? 'lose-answer'
            : 'none';
    return { misfortune, afterVerbs: below(VERBS_MAX + 1), delayMs: below(odds.delayMsMax + 1) };
  };
}
