/** A broker that keeps a request until the unit is at another station: the old epoch does nothing any longer. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { toText } from '../../runtime/core/bytes.ts';
import { pass as deliver } from '../../scripts/simulation/hostile/manner.ts';
import { createHostileBroker, type Hands, type Message } from '../../scripts/simulation/hostile/middle.ts';
import type { World } from '../../scripts/simulation/world.ts';
import { carry, hasFact, lanesOfUnit, operationOf, until, watchedWorld } from '../simulation/by-hand.ts';

const EID = eidOfIndex(1);

interface HeldBack {
  readonly world: World;
  /** Delivers what was kept, and keeps nothing more. */
  readonly deliver: () => void;
}

/** A line whose broker keeps what the first station says on a topic; the unit is carried to the second meanwhile. */
async function carriedWhileKept(topic: string, seed: string): Promise<HeldBack> {
  const kept: Message[] = [];
  let hands: Hands | null = null;
  let keeping = true;
  const broker = createHostileBroker(
    {
      treat: (message, own) => {
        hands = own;
        if (keeping && message.topic.endsWith(`station-1/${topic}`)) kept.push(message);
        else deliver(message, own);
      },
    },
    seed,
  );
  const { world } = await watchedWorld({ seed, units: 1, stations: 2, betweenBus: broker.between });
  await until(world, () => kept.length > 0, topic);
  await carry(world, 1, 1, 2);
  await until(world, () => hasFact(world, 2, 'intent'), 'the other station works');
  return {
    world,
    deliver: () => {
      keeping = false;
      for (const message of kept.splice(0)) deliver(message, hands ?? assert.fail('no broker'));
    },
  };
}

const refusals = (world: World, kind: string): readonly unknown[] =>
  world.log.lines.flatMap(({ event, fields }) =>
    event === 'request-refused' && fields.kind === kind && fields.station === 'station-1'
      ? [fields.code]
      : [],
  );

describe('a request that the broker kept until the unit was elsewhere', () => {
  it('registers nothing: the record is of the station and the epoch that has the unit', async () => {
    const { world, deliver } = await carriedWhileKept('backend/register', 'kept registration');
    deliver();
    await until(world, () => hasFact(world, 2, 'released'), 'the unit leaves');
    assert.deepEqual([...new Set(refusals(world, 'register'))], ['RESERVATION_STALE']);
    const [record, ...more] = await world.fleet.connect().transaction((tx) => tx.listRecords(10));
    assert.equal(more.length, 0);
    const { epoch } = (await operationOf(world, EID)) ?? assert.fail('no operation');
    const confirmations = await world.fleet
      .connect()
      .transaction((tx) => tx.confirmationsOf(record?.operation ?? ''));
    assert.deepEqual(
      confirmations.map((row) => row.epoch),
      [epoch],
    );
    assert.ok(toText(record?.record ?? new Uint8Array(0)).includes('"station-2"'));
    assert.equal(lanesOfUnit(world, 1), 'good');
  });

  it('opens no dialogue: the ledger knows the newer epoch', async () => {
    const { world, deliver } = await carriedWhileKept('gateway/open', 'kept opening');
    const { epoch } = (await operationOf(world, EID)) ?? assert.fail('no operation');
    assert.ok(epoch > 1);
    deliver();
    await until(world, () => hasFact(world, 2, 'released'), 'the unit leaves');
    assert.deepEqual([...new Set(refusals(world, 'dialogue-open'))], ['RESERVATION_STALE']);
    const opened = world.ledger.tables.dialogues.all().map((row) => [row.station, row.epoch]);
    assert.deepEqual(opened, [['station-2', epoch]]);
  });
});
