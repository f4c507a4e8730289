/** Nights of a simulated plant in which programs die, wires break and hands reach in: every rule holds in all of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liveThroughAll } from '../../scripts/night/crew.ts';
import { liveThrough } from '../../scripts/night/night.ts';
import { drawStory } from '../../scripts/night/story.ts';
import { singles, swept } from '../../scripts/night/sweep.ts';
import type { Tally } from '../../scripts/night/tally.ts';
import { missingIn } from '../../scripts/night/vacuity.ts';

const NIGHTS = 2_000;
/** The other of two cores is for the other tests. */
const WORKERS = 1;
const FAILURES_MAX = 5;

const told = ({ failures }: Tally): readonly string[] =>
  failures.map(({ story, violations }) => {
    const again = story.seed === 'sweep' ? `--story '${JSON.stringify(story)}'` : `--seed ${story.seed}`;
    return `${violations.map(({ rule, text }) => `${rule}: ${text}`).join('; ')} (npm run simulate -- ${again})`;
  });

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

  it('breaks no rule whatever fails, whoever dies and whenever the power goes, at any call of any port', async () => {
    const { mishaps, crossed } = await singles();
    const stories = mishaps.map((mishap) => swept([mishap]));
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
