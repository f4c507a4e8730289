/** One unit, and a program that dies at each call of each port in turn, on the way out and on the way back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liveThroughAll } from '../../scripts/night/crew.ts';
import { singles, swept } from '../../scripts/night/sweep.ts';
import { told } from './told.ts';

const WORKERS = 1;
const FAILURES_MAX = 5;

describe('a death at any moment', () => {
  it('breaks no rule, whichever program it is and whatever it was calling', async () => {
    const { mishaps, crossed } = await singles();
    // A program dies at every place; what else may befall it there, `npm run simulate -- --sweep` adds.
    const kills = mishaps.filter((mishap) => mishap.kind === 'kill' && !mishap.death.kept);
    const stories = kills.map((mishap) => swept([mishap]));
    const tally = await liveThroughAll(stories, { workers: WORKERS, failuresMax: FAILURES_MAX });
    assert.deepEqual(told(tally), []);
    assert.equal(tally.nights, stories.length);
    assert.deepEqual(
      crossed.filter((call) => !tally.died.includes(call)),
      [],
      'calls at which nobody died',
    );
  });
});
