/** A chip that never comes through: it is asked a bounded number of times, and then left alone until a person acts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createWorld } from '../../scripts/simulation/world.ts';
import { heldWith } from './fates.ts';

const HOUR_MS = 3_600_000;
const INITIALIZE_UPDATE = 0x50;

describe('the budget of attempts', () => {
  it('is kept in the ledger: sessions are begun so often and no more, in an hour and in the next', async () => {
    let begun = 0;
    const world = await createWorld({
      seed: 'attempts',
      units: 1,
      stations: 1,
      cheap: true,
      manners: { 1: { name: 'forges-refusal' } },
      wire: (command) => {
        if (command[1] === INITIALIZE_UPDATE) begun++;
      },
    });
    await world.run(HOUR_MS);
    const codes = heldWith(world);
    const first = codes.indexOf('ATTEMPTS_EXHAUSTED');
    assert.ok(first > 0, codes.join(' '));
    assert.ok(codes.slice(first).every((code) => code === 'ATTEMPTS_EXHAUSTED'));
    const afterAnHour = begun;
    await world.run(2 * HOUR_MS);
    assert.equal(begun, afterAnHour, 'the chip is left alone');
    assert.equal(world.chips.get(1)?.state.keySets[0]?.keyVersion, 0x30, 'it still has its transport keys');
  });
});
