/** A chip that holds another unit's key pair, as a weak generator of random numbers would have it: it gets nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { makeChip } from '../../scripts/simulation/station.ts';
import { usualSupply } from '../../scripts/simulation/supply.ts';
import { createWorld } from '../../scripts/simulation/world.ts';
import { factsOf } from '../simulation/by-hand.ts';

/** Always the same bytes. */
const weak = { bytes: (count: number) => new Uint8Array(count).fill(7) };

describe('a unit with somebody else’s key', () => {
  it('gets no certificate and no record, is held with CERTIFICATE_REFUSED, and the log has it', async () => {
    const world = await createWorld({ seed: 'a weak generator', stations: 1, units: 3, cheap: true });
    const parts = { manners: {}, forged: {}, parties: world.parties, supply: usualSupply };
    const chips = world.chips as Map<number, ReturnType<typeof makeChip>>;
    // The first is in its nest already.
    for (const unit of [2, 3]) chips.set(unit, makeChip(unit, parts, weak));
    await world.run(120_000);
    const left = world.stations.flatMap(({ gateLog }) => gateLog).filter(({ event }) => event === 'LEFT');
    assert.deepEqual(
      left.map(({ unit }) => unit),
      [1, 2],
    );
    assert.equal(world.ledger.tables.certificates.all().length, 2);
    assert.equal(world.fleet.tables.records.all().length, 2);
    const holds = factsOf(world, 1).flatMap((fact) => (fact.name === 'held' ? [fact.fault.code] : []));
    assert.ok(holds.includes('CERTIFICATE_REFUSED'), holds.join());
    const event = world.fleet.tables.events.all().find(({ text }) => text.includes('CERTIFICATE_REFUSED'));
    const leaves = world.fleet.tables.leaves.all().map(({ entry }) => readLeaf(entry));
    assert.ok(event && leaves.some((leaf) => leaf?.body.hash === event.hash));
  });
});
