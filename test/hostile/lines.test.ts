/** A whole line through every manner of a hostile broker: units may wait, and nothing false is believed. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Manner } from '../../scripts/simulation/hostile/manner.ts';
import { createHostileBroker, type Message } from '../../scripts/simulation/hostile/middle.ts';
import { brokerManners } from '../../scripts/simulation/hostile/table.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { assertCameToRest, assertOwn, watchGates } from './claims.ts';

const UNITS = 4;
/** Each manner is met so often: `SEEDS=40` looks further. */
const SEEDS = Number(process.env.SEEDS ?? 1);
/** How long the broker is hostile: about as long as the units need with an honest one. */
const HOSTILE_MS = 25_000;
/** Longest that anything may take after that, simulated. */
const REST_MS = 20 * 60_000;
/** What is said upward after the last unit. */
const DRAIN_MS = 60_000;
const plant = { stations: 2, units: UNITS, keysFrom: 'plant' } as const;

interface Lived {
  readonly world: World;
  readonly deeds: number;
  /** What was wrong at the gates. */
  readonly openings: readonly string[];
}

describe('a line with a hostile broker', () => {
  let calm: World;
  let yesterday: readonly Message[];

  before(async () => {
    const recorder = createHostileBroker(
      { treat: ({ topic, payload }, hands) => hands.give(topic, payload) },
      'yesterday',
    );
    calm = await createWorld({ ...plant, seed: 'yesterday', betweenBus: recorder.between });
    await calm.run(REST_MS);
    yesterday = recorder.said;
    assertCameToRest(calm, UNITS);
  });

  const lived = async (manner: Manner, seed: string): Promise<Lived> => {
    const broker = createHostileBroker(manner.treatment({ yesterday, parties: calm.parties }), seed);
    const world = await createWorld({ ...plant, seed, betweenBus: broker.between });
    const openings = watchGates(world);
    while (world.clock.monotonicMs() < HOSTILE_MS && (await world.clock.runNext(HOSTILE_MS)));
    broker.end();
    await world.run(REST_MS);
    const end = world.clock.monotonicMs() + DRAIN_MS;
    while (await world.clock.runNext(end));
    return { world, deeds: broker.deeds(), openings };
  };

  for (const [name, manner] of Object.entries(brokerManners))
    it(`that ${manner.does}: every unit leaves with what is its own`, async () => {
      for (let seed = 1; seed <= SEEDS; seed++)
        await assertWithstood(await lived(manner, `${name} ${seed}`), manner);
    });

  const assertWithstood = async ({ world, deeds, openings }: Lived, manner: Manner): Promise<void> => {
    assert.ok(deeds >= manner.deedsMin, `it did something, ${deeds} times`);
    assert.deepEqual(openings, []);
    assertCameToRest(world, UNITS);
    await assertOwn(world, calm, UNITS);
    const refusals = world.log.lines.filter(({ event }) => event === 'message-refused').length;
    if (manner.refused) assert.ok(refusals > 0, 'what was refused is in the log');
    const errors = world.log.lines.filter(({ level }) => level === 'error');
    assert.deepEqual(errors, []);
  };
});
