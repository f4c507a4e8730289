/** A unit whose certificate falls between its confirmation and its registration: nothing of it is registered or released. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FaultCode } from '../../runtime/core/faults.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { listIssuedInstruction, takeIssuedInstruction } from '../../runtime/core/messages/issued.ts';
import {
  executeRevocationInstruction,
  planRevocationInstruction,
} from '../../runtime/core/messages/revocation.ts';
import type { Aim } from '../../runtime/core/pki/revocation-plan.ts';
import { ISSUER } from '../../scripts/simulation/parties.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { factsOf, until } from '../simulation/by-hand.ts';
import { approvalOf, officers, quorum } from './officers.ts';

/** A line whose second unit has its certificate, and no confirmation yet. */
async function lineAtSecond(seed: string): Promise<World> {
  const world = await createWorld({
    ...{ seed, stations: 1, units: 2 },
    revocation: { quorum, officers, publisher: { publish: async () => undefined } },
  });
  await until(world, () => world.ledger.tables.certificates.all().length === 2, 'a second certificate');
  assert.equal(world.fleet.tables.records.all().length, 1);
  return world;
}

async function lasting<T>(world: World, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  await until(world, () => settled, 'an answer');
  return done;
}

/** Officers decide; no gateway is told. */
async function revoked(world: World, kind: Aim['kind'], value: string): Promise<void> {
  const { backend } = world.instructions;
  const aim = { kind, value, from: null, to: null };
  const body = { aim, way: 'auto', reason: 'keyCompromise' } as const;
  const plan = await lasting(world, backend.instruct(planRevocationInstruction, body));
  const signing = ['ada', 'bob'].map((name) => approvalOf(name, plan, world.clock.now()));
  const approvals = await Promise.all(signing);
  await lasting(world, backend.instruct(executeRevocationInstruction, { plan, approvals }));
}

async function demandHeld(world: World, code: FaultCode): Promise<void> {
  await world.run(120_000);
  const left = world.stations.flatMap(({ gateLog }) => gateLog).filter(({ event }) => event === 'LEFT');
  assert.equal(left.length, 1, 'the first unit alone has left');
  assert.equal(world.fleet.tables.records.all().length, 1);
  const facts = factsOf(world, 1);
  assert.ok(facts.some(({ name }) => name === 'confirmed'));
  const holds = facts.flatMap((fact) => (fact.name === 'held' ? [fact.fault.code] : []));
  assert.ok(holds.includes(code), holds.join());
  const events = world.fleet.tables.events.all().filter(({ text }) => text.includes(code));
  const leaves = world.fleet.tables.leaves.all().map(({ entry }) => readLeaf(entry));
  const logged = leaves.filter((leaf) => leaf?.kind === 'station-event').map((leaf) => leaf?.body.hash);
  assert.ok(events.length > 0 && events.every(({ hash }) => logged.includes(hash)));
}

describe('a unit', () => {
  it('whose intermediate falls before it is registered is held, has no record and does not leave', async () => {
    const world = await lineAtSecond('the intermediate falls');
    await revoked(world, 'intermediate', ISSUER);
    await demandHeld(world, 'UNIT_CERTIFICATE_REVOKED');
  });

  it('whose certificate alone falls before it is registered is held too', async () => {
    const world = await lineAtSecond('the certificate falls');
    const { gateway, backend } = world.instructions;
    const [, second] = world.ledger.tables.certificates
      .all()
      .toSorted((a, b) => (a.notBefore < b.notBefore ? -1 : 1));
    const asked = { key: 'eid', value: second?.eid ?? '', after: '' } as const;
    const { statement } = await lasting(world, gateway.instruct(listIssuedInstruction, asked));
    await lasting(world, backend.instruct(takeIssuedInstruction, { statement }));
    await revoked(world, 'eid', second?.eid ?? '');
    await demandHeld(world, 'UNIT_CERTIFICATE_REVOKED');
  });
});
