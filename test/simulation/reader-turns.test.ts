/** Lists of two visits at one reader: what the one that has ended was still playing comes to its end first. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CardReader, PlayOutcome } from '../../runtime/core/ports.ts';
import { takingTurns } from '../../runtime/station/reader-turns.ts';

/** A reader whose lists end when the test says so. */
function slowReader() {
  const begun: { readonly end: () => void; readonly fail: () => void }[] = [];
  const reader: CardReader = {
    play: () =>
      new Promise<PlayOutcome>((resolve, reject) => {
        begun.push({
          end: () => resolve({ outcome: 'played', exchanges: [] }),
          fail: () => reject(new Error('the reader failed')),
        });
      }),
    close: async () => undefined,
  };
  return { begun, turns: takingTurns(() => reader) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('lists at one reader', () => {
  it('are played one after the other, also after one that failed', async () => {
    const { begun, turns } = slowReader();
    const first = turns('a').play([]);
    const second = turns('a').play([]);
    await turn();
    assert.equal(begun.length, 1);
    begun[0]?.fail();
    await assert.rejects(first);
    await turn();
    assert.equal(begun.length, 2);
    begun[1]?.end();
    assert.equal((await second).outcome, 'played');
  });

  it('are refused where too many wait', async () => {
    const { begun, turns } = slowReader();
    const waiting = Array.from({ length: 4 }, () => turns('a').play([]));
    assert.equal((await turns('a').play([])).outcome, 'unsent');
    for (let i = 0; i < 4; i++) {
      await turn();
      begun[i]?.end();
    }
    assert.equal((await Promise.all(waiting)).length, 4);
  });
});
