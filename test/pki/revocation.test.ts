/** A revocation from its plan to the list: planned by the backend, approved by officers, signed by the gateway. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import {
  executeRevocationInstruction,
  planRevocationInstruction,
  signCrlInstruction,
  trustListInstruction,
} from '../../runtime/core/messages/revocation.ts';
import { openTrustList } from '../../runtime/core/messages/trust-list.ts';
import { parseCrl } from '../../runtime/core/pki/crl.ts';
import type { Aim, RevocationPlan, RevocationWay } from '../../runtime/core/pki/revocation-plan.ts';
import { ISSUER } from '../../scripts/simulation/parties.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { during } from '../fleet/fleet-line.ts';
import { approvalOf, officers, quorum } from './officers.ts';

const DAY_MS = 86_400_000;
const BATCH = 'SIM-BATCH-1';

interface Line {
  readonly world: World;
  readonly published: ReadonlyMap<string, Uint8Array>;
}

/** A line that has done its units. */
async function lineOf(units: number): Promise<Line> {
  const published = new Map<string, Uint8Array>();
  const publisher = {
    publish: async (name: string, content: Uint8Array) => {
      published.set(name, content);
    },
  };
  const world = await createWorld({
    seed: 'revocation',
    stations: 1,
    units,
    revocation: { quorum, officers, publisher },
  });
  await world.run(DAY_MS);
  return { world, published };
}

const aimAt = (kind: Aim['kind'], value: string): Aim => ({ kind, value, from: null, to: null });

function planned(world: World, aim: Aim, way: RevocationWay = 'auto'): Promise<RevocationPlan> {
  const body = { aim, way, reason: 'keyCompromise' } as const;
  return during(world, world.instructions.backend.instruct(planRevocationInstruction, body));
}

const approve = (world: World, plan: object, names: readonly string[] = ['ada', 'bob']): Promise<string[]> =>
  Promise.all(names.map((name) => approvalOf(name, plan, world.clock.now())));

function executed(world: World, plan: RevocationPlan, approvals: readonly string[]) {
  const body = { plan, approvals: [...approvals] };
  return during(world, world.instructions.backend.instruct(executeRevocationInstruction, body));
}

const withCode = (code: FaultCode, why?: RegExp) => (error: unknown) =>
  isFault(error) && error.code === code && (why?.test(JSON.stringify(error.context)) ?? true);

const leavesOf = ({ fleet }: World, kind: string) =>
  fleet.tables.leaves.all().flatMap(({ entry }) => {
    const leaf = readLeaf(entry);
    return leaf?.kind === kind ? [leaf] : [];
  });

describe('the revocation of a unit', () => {
  it('is planned, approved, executed, carried to the gateway, and on its list', async () => {
    const { world, published } = await lineOf(3);
    const eid = eidOfIndex(2);
    const plan = await planned(world, aimAt('eid', eid));
    assert.deepEqual(
      [plan.certificates.map((one) => one.eid), plan.intermediates, plan.collateral.units, plan.aimedAt],
      [[eid], [], 0, 1],
    );
    const [list] = plan.lists;
    assert.deepEqual([list?.entriesBefore, list?.entriesAfter], [0, 1]);
    assert.equal((list?.bytesAfter ?? 0) - (list?.bytesBefore ?? 0), 49);
    const done = await executed(world, plan, await approve(world, plan));
    const signed = await during(
      world,
      world.instructions.gateway.instruct(signCrlInstruction, {
        orders: done.orders,
        trustList: done.trustList,
      }),
    );
    assert.deepEqual(
      signed.crls.map(({ issuer, entries }) => [issuer, entries]),
      [[ISSUER, 1]],
    );
    const crl = parseCrl(published.get(`${ISSUER}.crl`) ?? assert.fail());
    assert.deepEqual(
      [...crl.entries.keys()],
      plan.certificates.map(({ serial }) => serial),
    );
    const [row] = world.fleet.tables.revocations.all();
    assert.deepEqual([row?.eid, row?.plan, row?.leafIndex], [eid, done.plan, done.leafIndex]);
    const [leaf] = leavesOf(world, 'revocation');
    assert.deepEqual(
      ((leaf?.body.approvals ?? []) as { officer: string }[]).map(({ officer }) => officer),
      ['ada', 'bob'],
    );
  });

  it('does nothing twice: the same plan again gets the same orders, when its approvals have run out too', async () => {
    const { world } = await lineOf(2);
    const plan = await planned(world, aimAt('station', 'station-1'));
    const first = await executed(world, plan, await approve(world, plan));
    const size = world.fleet.tables.leaves.all().length;
    const again = await executed(world, plan, []);
    assert.deepEqual(
      [again.plan, again.executedAt, again.leafIndex, again.certificates],
      [first.plan, first.executedAt, first.leafIndex, 2],
    );
    assert.equal(world.fleet.tables.leaves.all().length, size);
    const orders = [...first.orders, ...again.orders];
    const { crls } = await during(
      world,
      world.instructions.gateway.instruct(signCrlInstruction, { orders, trustList: null }),
    );
    assert.deepEqual(
      crls.map(({ entries }) => entries),
      [2],
    );
  });

  it('is refused with too few approvals, of another plan, of one officer twice, of another purpose or a foreign officer', async () => {
    const { world } = await lineOf(2);
    const plan = await planned(world, aimAt('eid', eidOfIndex(1)));
    const other = await planned(world, aimAt('eid', eidOfIndex(2)));
    const [ada = ''] = await approve(world, plan, ['ada']);
    await assert.rejects(executed(world, plan, []), withCode('APPROVALS_MISSING'));
    await assert.rejects(executed(world, plan, [ada]), withCode('APPROVALS_MISSING'));
    await assert.rejects(executed(world, plan, [ada, ada]), withCode('APPROVAL_REFUSED', /twice/));
    await assert.rejects(
      executed(world, plan, await approve(world, other)),
      withCode('APPROVAL_REFUSED', /something else/),
    );
    await assert.rejects(
      executed(world, plan, await approve(world, plan, ['ada', 'eve'])),
      withCode('APPROVAL_REFUSED'),
    );
    const ticket = await approvalOf('bob', plan, world.clock.now(), 'ticket');
    await assert.rejects(executed(world, plan, [ada, ticket]), withCode('APPROVAL_REFUSED', /ticket/));
    const altered = { ...plan, certificates: [...plan.certificates, ...other.certificates] };
    await assert.rejects(executed(world, altered, await approve(world, plan)), withCode('APPROVAL_REFUSED'));
    assert.equal(world.fleet.tables.revocations.all().length, 0);
    assert.deepEqual(leavesOf(world, 'revocation'), []);
  });

  it('is refused when the plan says what the fleet does not, whoever approved it', async () => {
    const { world } = await lineOf(2);
    const plan = await planned(world, aimAt('batch', BATCH), 'certificates');
    const less = { ...plan, certificates: plan.certificates.slice(1) };
    await assert.rejects(
      executed(world, less, await approve(world, less)),
      withCode('REVOCATION_REFUSED', /changed/),
    );
    const foreign = plan.certificates.map((one) => ({ ...one, serial: 'ab'.repeat(16) }));
    const forged = { ...plan, certificates: foreign };
    await assert.rejects(
      executed(world, forged, await approve(world, forged)),
      withCode('REVOCATION_REFUSED', /changed/),
    );
    await assert.rejects(
      planned(world, aimAt('eid', eidOfIndex(77))),
      withCode('REVOCATION_REFUSED', /no certificate/),
    );
  });

  it('aims at what a station made in a time', async () => {
    const { world } = await lineOf(3);
    const times = world.fleet.tables.certificates
      .all()
      .map(({ recordedAt }) => recordedAt)
      .sort();
    const [, second = '', third = ''] = times;
    const plan = await planned(world, { kind: 'station', value: 'station-1', from: second, to: third });
    assert.equal(plan.certificates.length, 1);
    const late = { kind: 'station', value: 'station-1', from: '2199-01-01T00:00:00.000Z', to: null } as const;
    await assert.rejects(planned(world, late), withCode('REVOCATION_REFUSED'));
  });
});

describe('the revocation of a batch', () => {
  it('lets the intermediate fall when the batch is all that it has issued, by the trust list and at once', async () => {
    const { world } = await lineOf(2);
    const gone = { station: 'station-9', number: 1, since: '2026-01-01T00:00:00.000Z', reason: 'stolen' };
    await during(
      world,
      world.fleet.connect().transaction((tx) => tx.insertRevokedStation(gone)),
    );
    const plan = await planned(world, aimAt('batch', BATCH));
    assert.deepEqual(
      plan.intermediates.map(({ name, units }) => [name, units]),
      [[ISSUER, 2]],
    );
    assert.deepEqual([plan.certificates, plan.lists, plan.effect.needsRoot], [[], [], true]);
    const done = await executed(world, plan, await approve(world, plan));
    assert.deepEqual([done.intermediates, done.orders], [[ISSUER], []]);
    const list = openTrustList(done.trustList ?? '', 1, world.parties.trusted, nodeCrypto);
    assert.deepEqual([list.number, list.intermediates.map(({ name }) => name)], [1, [ISSUER]]);
    assert.deepEqual(list.stations, [{ name: gone.station, revokedAt: gone.since }]);
    assert.equal(leavesOf(world, 'trust-list').length, 1);
    const { trustList } = done;
    await during(world, world.instructions.gateway.instruct(signCrlInstruction, { orders: [], trustList }));
    const kept = await during(world, world.instructions.backend.instruct(trustListInstruction, {}));
    assert.equal(kept.trustList, trustList);
    const again = await planned(world, aimAt('batch', BATCH));
    assert.deepEqual([again.intermediates, again.certificates, again.revokedBefore], [[], [], 2]);
    await assert.rejects(
      executed(world, again, await approve(world, again)),
      withCode('REVOCATION_REFUSED', /nothing is left/),
    );
  });

  it('is refused for an intermediate under whose name two keys have issued; its units can fall one by one', async () => {
    const { world } = await lineOf(2);
    const [row = assert.fail()] = world.fleet.tables.certificates.all();
    const other = { ...row, serial: 'ab'.repeat(16), eid: eidOfIndex(9), issuerKeyId: 'bb'.repeat(20) };
    world.fleet.tables.certificates.insert(other, []);
    await assert.rejects(
      planned(world, aimAt('intermediate', ISSUER)),
      withCode('REVOCATION_REFUSED', /two keys/),
    );
    assert.equal((await planned(world, aimAt('batch', BATCH), 'certificates')).certificates.length, 3);
  });

  it('names the units that die though nobody aimed at them', async () => {
    const { world } = await lineOf(3);
    const plan = await planned(world, aimAt('eid', eidOfIndex(1)), 'intermediate');
    assert.deepEqual(
      [plan.collateral.units, plan.collateral.named.map(({ eid }) => eid).sort()],
      [2, [eidOfIndex(2), eidOfIndex(3)].sort()],
    );
    const gentle = await planned(world, aimAt('batch', BATCH), 'certificates');
    assert.deepEqual(
      [gentle.certificates.length, gentle.collateral.units, gentle.effect.needsRoot],
      [3, 0, false],
    );
  });
});
