/** Nights of a simulated plant in which programs die, wires break and hands reach in: every rule holds in all of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liveThroughAll } from '../../scripts/night/crew.ts';
import { liveThrough } from '../../scripts/night/night.ts';
import { drawStory } from '../../scripts/night/story.ts';
import { missingIn } from '../../scripts/night/vacuity.ts';
import { told } from './told.ts';

/** As many as the suite has time for; `npm run simulate -- --seeds 1..2000` is the commit's own measure. */
const NIGHTS = 250;
const WORKERS = 2;
const FAILURES_MAX = 5;

describe('a night of a plant', () => {
  it('goes by the same way each time it is told', async () => {
    for (const seed of ['1', '5', '9']) {
      const first = await liveThrough(drawStory(seed));
      const second = await liveThrough(drawStory(seed));
      assert.equal(first.history, second.history);
    }
    const [one, other] = await Promise.all([drawStory('1'), drawStory('2')].map(liveThrough));
    assert.notEqual(one?.history, other?.history);
  });

  it(`breaks no rule in ${NIGHTS} nights, and meets enough in them for that to mean something`, async () => {
    const seeds = Array.from({ length: NIGHTS }, (_, i) => String(i + 1));
    const tally = await liveThroughAll(seeds, { workers: WORKERS, failuresMax: FAILURES_MAX });
    assert.deepEqual(told(tally), []);
    assert.equal(tally.nights, NIGHTS);
    assert.deepEqual(missingIn(tally), []);
  });
});
