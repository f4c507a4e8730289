/** Copies, exchanged labels, finished and rejected units on a line: each gets its own fault and its own event. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChipState, freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import type { FaultCode } from '../../runtime/core/faults.ts';
import { rejectExchange, reserveExchange } from '../../runtime/core/messages/exchanges.ts';
import type { World } from '../../scripts/simulation/world.ts';
import type { WorldOptions } from '../../scripts/simulation/world-options.ts';
import {
  ask,
  carry,
  factsOf,
  hasFact,
  historyOf,
  lanesOfUnit,
  operationOf,
  pass,
  stationOf,
  until,
  watchedWorld,
} from './by-hand.ts';
import { recordsOf } from './fates.ts';

const EID = eidOfIndex(1);
/** Long enough for a held unit to be asked about again, some times. */
const HELD_MS = 120_000;
const OTHER_KEY = 'ee'.repeat(16);

type Forge = (fresh: ChipState) => ChipState;

/** What is written on the silicon of unit 1. */
function first(): ChipState {
  const maker = { transportMaster: new Uint8Array(32), transportKeyVersion: 0x30 };
  return freshChip({ eid: EID, index: 1, ...maker });
}

const withEidOfFirst: Forge = (fresh) => ({ ...fresh, eid: EID });
const onSiliconOfFirst: Forge = (fresh) => {
  const { cplc, iin, cin, atr } = first();
  return { ...fresh, cplc, iin, cin, atr };
};
const withKeys =
  (keyVersion: number): Forge =>
  (fresh) => ({
    ...fresh,
    keySets: [{ keyVersion, enc: OTHER_KEY, mac: OTHER_KEY, dek: OTHER_KEY, sequenceCounter: 0 }],
  });
/** Says all that unit 1 says in clear, and knows none of its keys. */
const copyOfFirst =
  (keyVersion: number): Forge =>
  (fresh) =>
    withKeys(keyVersion)(withEidOfFirst(onSiliconOfFirst(fresh)));

async function lived(
  seed: string,
  forged: Readonly<Record<number, Forge>>,
  more: Partial<WorldOptions> = {},
): Promise<World> {
  const { world } = await watchedWorld({ seed, units: 2, stations: 1, cheap: true, forged, ...more });
  await world.run(HELD_MS);
  return world;
}

function holds(world: World, station: number): readonly FaultCode[] {
  return factsOf(world, station).flatMap((fact) => (fact.name === 'held' ? [fact.fault.code] : []));
}

/** Held again and again with one fault, and in the log once. */
async function assertHeldWith(world: World, code: FaultCode, history: readonly string[]): Promise<void> {
  const codes = holds(world, 1);
  assert.ok(codes.length > 2, 'it is asked about again');
  assert.deepEqual([...new Set(codes)], [code]);
  assert.deepEqual(await historyOf(world, EID), history);
}

describe('another chip with the EID of a unit', () => {
  it('is held as a clone, and the history of the unit shows it once', async () => {
    const world = await lived('clone', { 2: withEidOfFirst });
    assert.deepEqual([lanesOfUnit(world, 1), lanesOfUnit(world, 2)], ['good', '']);
    await assertHeldWith(world, 'UNIT_CLONED', ['clone UNIT_CLONED']);
    assert.equal(await recordsOf(world), 1);
  });

  it('is the same event when the station asks again, in the same try or another', async () => {
    const forged = { 2: withEidOfFirst };
    const { world, sent } = await watchedWorld({ seed: 'clone', units: 2, stations: 1, forged });
    await until(world, () => hasFact(world, 1, 'held'), 'held');
    const { body } = sent.findLast(({ topic }) => topic.includes('/reserve')) ?? assert.fail();
    const other = { ...body, attempt: '3f1c9a52-0000-4000-8000-000000000009' };
    const asked = [body, other, body].map((one) => ask(world, 1, reserveExchange, { body: one }));
    for (const { refused } of await Promise.all(asked)) assert.equal(refused, 'UNIT_CLONED');
    assert.deepEqual(await historyOf(world, EID), ['clone UNIT_CLONED']);
  });

  it('is a second event when it is taken out and put in again', async () => {
    const world = await lived('clone twice', { 2: withEidOfFirst });
    await carry(world, 2, 1, 1);
    await pass(world, HELD_MS);
    assert.deepEqual(await historyOf(world, EID), ['clone UNIT_CLONED', 'clone UNIT_CLONED']);
  });
});

describe('a chip that is known by another EID', () => {
  it('is held as relabelled, and the history of the unit that it was shows it', async () => {
    const world = await lived('relabel', { 2: onSiliconOfFirst });
    assert.deepEqual([lanesOfUnit(world, 1), lanesOfUnit(world, 2)], ['good', '']);
    await assertHeldWith(world, 'UNIT_RELABELLED', ['relabel UNIT_RELABELLED']);
    assert.deepEqual(await historyOf(world, eidOfIndex(2)), ['relabel UNIT_RELABELLED']);
    assert.equal(await recordsOf(world), 1);
  });
});

describe('a chip that is known', () => {
  it('is an event with an EID of another order too', async () => {
    const other = eidOfIndex(2, '89049033');
    const world = await lived('order', { 2: (fresh) => ({ ...onSiliconOfFirst(fresh), eid: other }) });
    await assertHeldWith(world, 'UNIT_RELABELLED', ['relabel UNIT_RELABELLED']);
  });
});

describe('a unit that has left', () => {
  it('is held as rework when it comes back: no ticket allows that', async () => {
    const world = await lived('rework', {}, { units: 1 });
    await stationOf(world, 1).fixture.line.putByHand(1);
    await pass(world, HELD_MS);
    await assertHeldWith(world, 'UNIT_RELEASED_BEFORE', ['rework UNIT_RELEASED_BEFORE']);
    assert.equal(lanesOfUnit(world, 1), 'good');
    assert.equal(await recordsOf(world), 1);
  });

  it('leaves by the reject lane again when that was its lane, proved or not', async () => {
    for (const options of [
      { manners: { 1: { name: 'stays-open' } } },
      { forged: { 1: withKeys(0x30) } },
    ] as const) {
      const { world } = await watchedWorld({ seed: 'back', units: 1, stations: 1, ...options });
      await world.run(HELD_MS);
      assert.equal(lanesOfUnit(world, 1), 'reject');
      await stationOf(world, 1).fixture.line.putByHand(1);
      await until(world, () => lanesOfUnit(world, 1) === 'reject reject', 'it leaves again');
      await pass(world, 5_000);
      assert.deepEqual(await historyOf(world, EID), ['returned UNIT_REJECTED_BEFORE']);
      assert.deepEqual(holds(world, 1), []);
      assert.equal(await recordsOf(world), 0);
    }
  });
});

describe('a chip that says all that a unit says in clear', () => {
  for (const keyVersion of [0x30, 0x31])
    it(`does not take its place in mid-work, whatever keys it lists (${keyVersion.toString(16)})`, async () => {
      const forged = { 2: copyOfFirst(keyVersion) };
      const { world } = await watchedWorld({ seed: 'copy', units: 1, stations: 2, forged });
      const keyed = (): boolean => (world.chips.get(1)?.state.keySets.length ?? 0) > 1;
      await until(world, keyed, 'the fleet’s keys are on the chip');
      stationOf(world, 1).fixture.line.takeByHand();
      await pass(world, 1_000);
      await stationOf(world, 2).fixture.line.putByHand(2);
      await until(world, () => lanesOfUnit(world, 2) === 'reject', 'the copy is rejected');
      await pass(world, 1_000);
      assert.equal((await operationOf(world, EID))?.state, 'reserved');
      await stationOf(world, 1).fixture.line.putByHand(1);
      await until(world, () => lanesOfUnit(world, 1) === 'good', 'the unit leaves');
      assert.deepEqual(await historyOf(world, EID), ['moved resumed', 'moved resumed']);
      assert.equal(await recordsOf(world), 1);
    });

  it('does not touch a unit that has its record and has not left', async () => {
    const forged = { 2: copyOfFirst(0x31) };
    const { world } = await watchedWorld({ seed: 'recorded', units: 1, stations: 2, forged });
    await until(world, () => hasFact(world, 1, 'registered'), 'registered');
    stationOf(world, 1).fixture.line.takeByHand();
    await pass(world, 3_000);
    await stationOf(world, 2).fixture.line.putByHand(2);
    await until(world, () => lanesOfUnit(world, 2) === 'reject', 'the copy is rejected');
    await pass(world, 1_000);
    assert.equal((await operationOf(world, EID))?.state, 'recorded');
    await stationOf(world, 1).fixture.line.putByHand(1);
    await until(world, () => lanesOfUnit(world, 1) === 'good', 'the unit leaves');
    assert.equal(await recordsOf(world), 1);
  });
});

describe('a station that rejects a unit of another on its own word', () => {
  it('gets a receipt for its own nest, and the unit goes on', async () => {
    const { world, sent } = await watchedWorld({ seed: 'slander', units: 2, stations: 2 });
    await until(world, () => hasFact(world, 1, 'intent') && hasFact(world, 2, 'intent'), 'both work');
    const said = (station: string) =>
      sent.findLast(({ topic }) => topic.includes(`${station}/backend/reserve`))?.body ?? assert.fail();
    const body = {
      visit: '01890000-0000-7000-8000-0000000000bb',
      identity: said('station-1').identity,
      reservation: null,
      verdict: null,
      fault: { code: 'CARD_NOT_OURS', context: {} },
      report: said('station-2').report,
      knownTreeSize: 0,
    };
    const inItsName = { ...body, visit: (await operationOf(world, EID))?.operation };
    const usurped = await ask(world, 2, rejectExchange, { body: inItsName });
    assert.equal(usurped.refused, 'CONFIRMATION_INVALID');
    const { refused, answer } = await ask(world, 2, rejectExchange, { body });
    assert.equal(refused, null);
    assert.ok(answer !== null);
    assert.equal((await operationOf(world, EID))?.state, 'reserved');
    await until(world, () => lanesOfUnit(world, 1) === 'good', 'the unit leaves');
    assert.equal(holds(world, 1).length, 0);
  });
});
