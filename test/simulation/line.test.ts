/** A whole line of all three programs in one process, in simulated time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createWorld, type World } from '../../scripts/simulation/world.ts';

const DAY_MS = 86_400_000;

async function lived(seed: string, units: number, stations: number): Promise<World> {
  const world = await createWorld({ seed, units, stations });
  await world.run(DAY_MS);
  return world;
}

const left = (world: World): number =>
  world.stations.flatMap((s) => s.gateLog).filter((line) => line.event === 'LEFT' && line.lane === 'good')
    .length;

describe('a simulated line', () => {
  it('releases every unit, each with a record, and with the fleet keys alone on its chip', async () => {
    const world = await lived('seed 1', 6, 1);
    assert.equal(left(world), 6);
    const records = await world.fleet.connect().transaction((tx) => tx.listRecords(100));
    assert.equal(records.length, 6);
    for (const chip of world.chips.values()) {
      assert.deepEqual(
        chip.state.keySets.map((set) => set.keyVersion),
        [0x31],
      );
      assert.equal(chip.state.lifeCycle, 0x0f);
    }
  });

  it('replays the same history from the same seed, and another from another', async () => {
    const first = (await lived('seed 7', 8, 2)).historyHash();
    const second = (await lived('seed 7', 8, 2)).historyHash();
    const other = (await lived('seed 8', 8, 2)).historyHash();
    assert.equal(first, second);
    assert.notEqual(first, other);
  });
});
