/** Several gateways of one HSM in simulated time: they share dialogues, and each outlives the other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createWorld, type World } from '../../scripts/simulation/world.ts';

const DAY_MS = 86_400_000;

/** Dialogues opened, by gateway. */
function opened({ ledger }: World): readonly number[] {
  const rows = ledger.tables.dialogues.all();
  return ['gateway-1', 'gateway-2'].map((name) => rows.filter(({ instance }) => instance === name).length);
}

function leftGood(world: World): number {
  const lines = world.stations.flatMap((station) => station.gateLog);
  return lines.filter((line) => line.event === 'LEFT' && line.lane === 'good').length;
}

/** The instance that a station's answers go to; null for any other topic. */
const continuedAt = (topic: string): string | null =>
  /\/req\/[^/]+\/gateway\/([^/]+)\/continue$/.exec(topic)?.[1] ?? null;

/** One unit, whose gateway is struck when the station brings it answers for the `nth` time. */
async function struckAt(nth: number, strike: (world: World, gateway: string) => void) {
  let brought = 0;
  let struck: string | null = null;
  const asked = new Set<string>();
  const world: World = await createWorld({
    seed: `struck at ${nth}`,
    cheap: true,
    units: 1,
    stations: 1,
    gateways: 2,
    tap: (topic) => {
      const gateway = continuedAt(topic);
      if (gateway === null) return;
      asked.add(gateway);
      brought += 1;
      if (brought !== nth) return;
      struck = gateway;
      strike(world, gateway);
    },
  });
  await world.run(DAY_MS);
  const [conclusion] = world.ledger.tables.conclusions.all();
  const last = world.ledger.tables.dialogues.all().find(({ epoch }) => epoch === conclusion?.epoch);
  return { world, struck, asked, finishedBy: last?.instance };
}

describe('two gateways of one HSM', () => {
  it('take turns at new dialogues, and each dialogue stays with the one that opened it', async () => {
    const world = await createWorld({
      seed: 'two gateways',
      cheap: true,
      units: 12,
      stations: 4,
      gateways: 2,
    });
    await world.run(DAY_MS);
    assert.equal(leftGood(world), 12);
    assert.deepEqual(opened(world), [6, 6]);
    // None was begun at one gateway and asked for at the other.
    assert.deepEqual(
      world.log.lines.filter(({ event }) => event === 'request-refused'),
      [],
    );
  });

  it('finish a unit whose gateway dies, wherever in the dialogue that is: the other asks the card', async () => {
    let nth = 1;
    for (; ; nth++) {
      const { world, struck, asked, finishedBy } = await struckAt(nth, ({ broker }, name) =>
        broker.cut(name),
      );
      assert.equal(leftGood(world), 1, `killed at answer ${nth}`);
      const [chip] = world.chips.values();
      assert.deepEqual(
        chip?.state.keySets.map((set) => set.keyVersion),
        [0x31],
      );
      assert.equal((await world.fleet.connect().transaction((tx) => tx.listRecords(9))).length, 1);
      if (struck === null) break;
      assert.equal(asked.size, 2);
      assert.notEqual(finishedBy, struck);
    }
    assert.ok(nth > 5, `only ${nth} places to die at`);
  });

  it('finish a unit whose gateway still hears but is no longer heard', async () => {
    const { world, struck, finishedBy } = await struckAt(3, ({ broker }, name) =>
      broker.isolate(name, { outgoing: true, incoming: false }),
    );
    assert.equal(leftGood(world), 1);
    assert.notEqual(struck, null);
    assert.notEqual(finishedBy, struck);
  });
});
