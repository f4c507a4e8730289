/** The life of a unit after the line: appended, approved, in the order of its table, and never overwritten. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { finalStates, lifeActs, lifeAfter, lifeRules, lifeStates } from '../../runtime/core/history/life.ts';
import type { UnitState } from '../../runtime/core/history/unit-state.ts';
import type { LifeOrder } from '../../runtime/core/messages/unit-life.ts';
import { fewWords } from '../../scripts/fleet/few-words.ts';
import { opinionOf } from '../../scripts/fleet/oracle.ts';
import type { World } from '../../scripts/simulation/world.ts';
import type { Desk } from '../pki/command.ts';
import { approvalOf } from '../pki/officers.ts';
import { factsOf, hasFact, pass, stationOf, until } from '../simulation/by-hand.ts';
import { deskOf, leavesIn, livedLine, plainLine, REJECTED, REVOKED, revoke } from './fleet-line.ts';

const EVIDENCE = 'e'.repeat(64);
const SOCKET = ['--socket', 'backend.socket'] as const;

interface Done {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function ordered(desk: Desk, eid: string, act: string, ...more: readonly string[]): Promise<Done> {
  const typed = ['--eid', eid, '--act', act, '--reason', 'as seen', '--order', desk.at(`${act}.json`)];
  return desk.holdfast('fleet', 'life', ...typed, ...SOCKET, ...more);
}

async function executed(
  desk: Desk,
  world: World,
  act: string,
  officers: readonly string[] = ['ada', 'bob'],
): Promise<Done> {
  const order = JSON.parse(desk.read(`${act}.json`)) as LifeOrder;
  const approvals: string[] = [];
  for (const officer of officers) {
    const jws = await approvalOf(officer, order, world.clock.now(), 'unit-life');
    approvals.push('--approval', desk.write(`${officer}.${act}.jws`, jws));
  }
  return desk.holdfast('fleet', 'life', '--execute', desk.at(`${act}.json`), ...approvals, ...SOCKET);
}

/** Ordered, approved and executed. */
async function done(
  desk: Desk,
  world: World,
  eid: string,
  act: string,
  ...more: readonly string[]
): Promise<Done> {
  const order = await ordered(desk, eid, act, ...more);
  return order.code === 0 ? executed(desk, world, act) : order;
}

async function stateOf(desk: Desk, eid: string): Promise<UnitState> {
  return JSON.parse((await desk.holdfast('fleet', 'state', '--eid', eid, '--json')).out) as UnitState;
}

describe('the table of life', () => {
  it('lets nothing follow the end of a unit, and no act do what its row does not say', () => {
    for (const act of lifeActs)
      for (const state of lifeStates) {
        const to = lifeAfter(act, state, 'RELEASED');
        assert.equal(to !== null, lifeRules[act].from.includes(state), `${act} of ${state}`);
        if (finalStates.includes(state)) assert.equal(to, null);
      }
    assert.equal(lifeAfter('clear', 'QUARANTINED', 'RMA'), 'RMA');
    assert.equal(lifeAfter('clear', 'QUARANTINED', null), null);
  });
});

describe('holdfast fleet life', () => {
  let world: World;
  const GOOD = eidOfIndex(3);
  before(async () => {
    world = await livedLine();
    await revoke(world, { kind: 'eid', value: REVOKED });
  });

  it('sets a unit aside and gives it back as it was; each event names the one before it', async () => {
    await using desk = deskOf(world);
    const lived: UnitState[] = [await stateOf(desk, GOOD)];
    for (const act of ['quarantine', 'rework', 'quarantine', 'clear', 'rma', 'return']) {
      assert.equal((await done(desk, world, GOOD, act)).code, 0, act);
      lived.push(await stateOf(desk, GOOD));
    }
    assert.deepEqual(
      lived.map(({ life }) => life?.state),
      ['RELEASED', 'QUARANTINED', 'REWORK', 'QUARANTINED', 'RELEASED', 'RMA', 'RELEASED'],
    );
    const chain = lived.map(({ life }) => life?.leafIndex);
    assert.deepEqual(
      lived.slice(1).map(({ life }) => life?.predecessor),
      chain.slice(0, -1),
    );
  });

  it('scraps only what is revoked, with evidence of its card, and before two witnesses', async () => {
    await using desk = deskOf(world);
    assert.match((await done(desk, world, GOOD, 'scrap', '--evidence', EVIDENCE)).err, /LIFE_REFUSED/);
    assert.match(
      (await done(desk, world, REVOKED, 'scrap')).err,
      /nothing shows that its card is terminated/,
    );
    assert.equal((await ordered(desk, REVOKED, 'scrap', '--evidence', EVIDENCE)).code, 0);
    assert.match((await executed(desk, world, 'scrap', ['ada'])).err, /APPROVALS_MISSING/);
    assert.equal((await executed(desk, world, 'scrap')).code, 0);
    const { life, keySets } = await stateOf(desk, REVOKED);
    assert.deepEqual([life?.state, keySets[0]?.standing], ['SCRAPPED', 'destroyed']);
    assert.match((await done(desk, world, REVOKED, 'quarantine')).err, /it is SCRAPPED/);
  });

  it('refuses to scrap a unit in quarantine whose certificate is good', async () => {
    await using desk = deskOf(world);
    const eid = eidOfIndex(5);
    assert.equal((await done(desk, world, eid, 'quarantine')).code, 0);
    const { err } = await done(desk, world, eid, 'scrap', '--evidence', EVIDENCE);
    assert.match(err, /LIFE_REFUSED/);
    assert.match(err, /is not revoked/);
  });

  it('executes one of two orders about the same state, and the same order once', async () => {
    await using desk = deskOf(world);
    await ordered(desk, REJECTED, 'rework');
    await ordered(desk, REJECTED, 'quarantine');
    const first = await executed(desk, world, 'quarantine');
    assert.equal(first.code, 0, first.err);
    assert.match((await executed(desk, world, 'rework')).err, /LIFE_REFUSED/);
    assert.equal((await executed(desk, world, 'quarantine', [])).out, first.out);
    assert.equal(
      leavesIn(world).filter(({ kind, body }) => kind === 'unit-life' && body.eid === REJECTED).length,
      1,
    );
  });

  it('obeys officers of its settings alone', async () => {
    await using desk = deskOf(world);
    await ordered(desk, eidOfIndex(5), 'rework');
    assert.match((await executed(desk, world, 'rework', ['ada', 'eve'])).err, /APPROVAL_REFUSED/);
    assert.match((await executed(desk, world, 'rework', [])).err, /APPROVALS_MISSING/);
  });

  it('is told by the log alone, as the oracle reads it', async () => {
    await using desk = deskOf(world);
    const log = leavesIn(world);
    for (const unit of [1, 2, 3, 4, 5].map((index) => eidOfIndex(index)))
      assert.deepEqual(fewWords(await stateOf(desk, unit)), opinionOf(unit, '~', log), unit);
  });
});

describe('scrap where one officer is enough for the rest', () => {
  it('needs two witnesses all the same', async () => {
    const world = await plainLine({ stations: 1, units: 1 }, 1);
    await world.run(60_000);
    const eid = eidOfIndex(1);
    await using desk = deskOf(world);
    assert.equal((await ordered(desk, eid, 'quarantine')).code, 0);
    assert.equal((await executed(desk, world, 'quarantine', ['ada'])).code, 0);
    await revoke(world, { kind: 'eid', value: eid });
    assert.equal((await ordered(desk, eid, 'scrap', '--evidence', EVIDENCE)).code, 0);
    assert.match((await executed(desk, world, 'scrap', ['ada'])).err, /APPROVALS_MISSING/);
    assert.equal((await executed(desk, world, 'scrap')).code, 0);
  });
});

describe('a unit that officers set aside while it has not left', () => {
  it('gets no release from the backend, and is held until they give it back', async () => {
    const world = await plainLine({ stations: 2, units: 1 });
    await using desk = deskOf(world);
    const eid = eidOfIndex(1);
    await until(world, () => hasFact(world, 1, 'registered'), 'the unit is registered');
    stationOf(world, 1).fixture.line.takeByHand();
    await pass(world, 5_000);
    assert.equal((await done(desk, world, eid, 'quarantine')).code, 0);
    await stationOf(world, 2).fixture.line.putByHand(1);
    const heldWith = () =>
      factsOf(world, 2).flatMap((fact) => (fact.name === 'held' ? [fact.fault.code] : []));
    await until(world, () => heldWith().includes('UNIT_SET_ASIDE'), 'it is held');
    assert.ok(!hasFact(world, 2, 'released'));
    assert.equal((await done(desk, world, eid, 'clear')).code, 0);
    assert.equal((await stateOf(desk, eid)).life?.state, 'RECORDED');
  });
});
