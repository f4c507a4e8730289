/** Every card profile on a whole line: chips of that kind are released, and the confirmation says what was shown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CardProfileName, cardProfiles } from '../../runtime/core/card/profile.ts';
import { createWorld } from '../../scripts/simulation/world.ts';
import { heldWith, lanesOf } from './fates.ts';

const HOUR_MS = 3_600_000;

describe('a line of chips of one card profile', () => {
  for (const cardProfile of Object.keys(cardProfiles) as CardProfileName[])
    it(`${cardProfile}: releases them, and nobody is held`, async () => {
      const world = await createWorld({ seed: cardProfile, units: 2, stations: 1, supply: { cardProfile } });
      await world.run(HOUR_MS);
      assert.deepEqual(heldWith(world), []);
      assert.deepEqual([...lanesOf(world).values()], ['good', 'good']);
    });
});
