/**
 * One list at a time on each reader: what a visit that has ended was still playing comes to its end before the
 * next visit looks at its unit. Every list has its deadlines, so every turn comes.
 */
import { Fault } from '../core/faults.ts';
import type { CardReader } from '../core/ports.ts';

/** Lists that may wait: that of the visit before, and one of this visit. More means that a list does not end. */
const WAITING_MAX = 4;

/** @returns the reader of a nest, always the same for the same nest */
export function takingTurns(readerOf: (nest: string) => CardReader): (nest: string) => CardReader {
  const readers = new Map<string, CardReader>();
  return (nest) => {
    const known = readers.get(nest);
    if (known !== undefined) return known;
    const reader = inTurn(readerOf(nest), nest);
    readers.set(nest, reader);
    return reader;
  };
}

function inTurn(reader: CardReader, nest: string): CardReader {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    play: async (actions) => {
      if (waiting >= WAITING_MAX)
        return { outcome: 'unsent', exchanges: [], fault: new Fault('READER_FAILED', { nest, waiting }) };
      waiting += 1;
      const turn = last.then(() => reader.play(actions));
      last = turn.catch(() => undefined); // Whoever plays hears of it; the next list is not concerned.
      try {
        return await turn;
      } finally {
        waiting -= 1;
      }
    },
    close: () => reader.close(),
  };
}
