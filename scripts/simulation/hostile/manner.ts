/** What a manner of a hostile broker is: an entry of a table, with what it costs and what stands against it. */
import type { SimulatedParties } from '../parties.ts';
import type { Hands, Message, Treatment } from './middle.ts';

/** What a broker may know when it begins. */
export interface Knowledge {
  /** All that was said in the same plant on another day. */
  readonly yesterday: readonly Message[];
  /** The plant's keys, of which a manner may use those alone that its description names. */
  readonly parties: SimulatedParties;
}

export interface Manner {
  /** Completes “The broker …”. */
  readonly does: string;
  /** What the line loses meanwhile. */
  readonly costs: string;
  /** What stands against it. */
  readonly withstood: string;
  /** Deeds below which a run has shown nothing. */
  readonly deedsMin: number;
  /** A program refuses something, and says so. */
  readonly refused: boolean;
  readonly treatment: (knowledge: Knowledge) => Treatment;
}

/** What a manner does with what it leaves alone. */
export function pass({ topic, payload }: Message, hands: Hands): void {
  hands.give(topic, payload);
}

/** Does something again and again. */
export function every(hands: Hands, ms: number, act: () => void): void {
  hands.later(ms, () => {
    act();
    every(hands, ms, act);
  });
}

export function oneOf<T>(among: readonly T[], hands: Hands): T | undefined {
  return among[Math.floor(hands.draw.fraction() * among.length)];
}
