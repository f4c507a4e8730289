/** One unit, and one mishap at each call of each port in turn: whatever fails, whoever dies, whenever the power goes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liveThroughAll } from '../../scripts/night/crew.ts';
import { singles, swept } from '../../scripts/night/sweep.ts';
import { told } from './told.ts';

const WORKERS = 1;
/** Kills at every place; cuts and failures at one in so many, and with `npm run simulate -- --sweep` at all. */
const STRIDE = 3;
const FAILURES_MAX = 5;

describe('a mishap at any moment', () => {
  it('breaks no rule whatever fails, whoever dies and whenever the power goes, at any call of any port', async () => {
    const { mishaps, crossed } = await singles();
    const stories = mishaps
      .filter((mishap, i) => (mishap.kind === 'kill' && !mishap.death.kept) || i % STRIDE === 0)
      .map((mishap) => swept([mishap]));
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
