/** A broker that says anything: the programs refuse it, go on, and believe nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { channels } from '../../runtime/core/messages/catalogue.ts';
import { filterOf } from '../../runtime/core/messages/channel.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';

const DAY_MS = 86_400_000;
const left = (world: World): number =>
  world.stations.flatMap((s) => s.gateLog).filter((line) => line.event === 'LEFT' && line.lane === 'good')
    .length;

describe('a hostile broker', () => {
  it('stops nobody with bytes that are no message at all', async () => {
    const world = await createWorld({ seed: 'garbage', units: 3, stations: 1 });
    const rogue = world.broker.connect({
      clientId: 'rogue',
      clean: true,
      mayPublish: () => true,
      mayReceive: () => true,
    });
    const entropy = createSimulatedEntropy('garbage');
    const own = { station: 'station-1', instance: 'gateway-1' };
    const topics = channels.filter((c) => c.to !== 'mes').map((c) => filterOf(c, own));
    const garbage = [
      new Uint8Array(0),
      Uint8Array.of(0xff, 0xfe, 0xfd),
      entropy.bytes(500),
      Buffer.from('a.b.c'),
      Buffer.from('{"id":null}'),
      Buffer.from(
        `${Buffer.from('{}').toString('base64url')}.${Buffer.from('[]').toString('base64url')}.AAAA`,
      ),
      Buffer.alloc(300_000, 0x61),
    ];
    for (let at = 0; at < 20_000; at += 700)
      world.clock.after(at, () => {
        for (const topic of topics)
          for (const bytes of garbage) void rogue.publish(topic, bytes, { qos: 0, retain: false });
      });
    await world.run(DAY_MS);
    assert.equal(left(world), 3);
    assert.ok(world.log.lines.filter((line) => line.event === 'message-refused').length > 50);
  });

  it('gains nothing by repeating everything that was ever said', async () => {
    const said: { topic: string; payload: Uint8Array }[] = [];
    const world = await createWorld({
      seed: 'replay',
      units: 4,
      stations: 1,
      tap: (topic, payload) => said.push({ topic, payload }),
    });
    const rogue = world.broker.connect({
      clientId: 'rogue',
      clean: true,
      mayPublish: () => true,
      mayReceive: () => true,
    });
    for (let at = 500; at < 20_000; at += 900)
      world.clock.after(at, () => {
        for (const { topic, payload } of said.slice(-60))
          void rogue.publish(topic, payload, { qos: 0, retain: false });
      });
    await world.run(DAY_MS);
    assert.equal(left(world), 4);
    const records = await world.fleet.connect().transaction((tx) => tx.listRecords(100));
    assert.equal(records.length, 4);
    for (const chip of world.chips.values())
      assert.deepEqual(
        chip.state.keySets.map((set) => set.keyVersion),
        [0x31],
      );
  });

  it('only delays with loss, repetition and reordering', async () => {
    const world = await createWorld({
      seed: 'weather',
      units: 4,
      stations: 2,
      weather: { lossRate: 0.1, duplicateRate: 0.1, delayMs: { min: 1, max: 400 } },
    });
    await world.run(DAY_MS);
    assert.equal(left(world), 4);
  });
});
