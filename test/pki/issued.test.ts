/** Every certificate that was ever issued is found by a plan of revocation: a rejected unit's, and one without a record. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { seal } from '../../runtime/core/messages/envelope.ts';
import {
  issuedCertificates,
  listIssuedInstruction,
  takeIssuedInstruction,
} from '../../runtime/core/messages/issued.ts';
import {
  executeRevocationInstruction,
  planRevocationInstruction,
  signCrlInstruction,
} from '../../runtime/core/messages/revocation.ts';
import type { Aim } from '../../runtime/core/pki/revocation-plan.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { until } from '../simulation/by-hand.ts';
import { approvalOf, officers, quorum } from './officers.ts';

const DAY_MS = 86_400_000;
const LIAR = eidOfIndex(2);

/** A line whose second unit is rejected after its certificate was signed. */
function lineWithLiar(): Promise<World> {
  return createWorld({
    seed: 'issued',
    stations: 1,
    units: 3,
    manners: { 2: { name: 'stores-another-certificate' } },
    revocation: { quorum, officers, publisher: { publish: async () => undefined } },
  });
}

/** Time passes while a program works. */
async function lasting<T>(world: World, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  await until(world, () => settled, 'an answer');
  return done;
}

/** As the command line carries it. */
async function told(world: World, key: 'eid' | 'batch' | 'issuer' | 'station', value: string) {
  const { gateway, backend } = world.instructions;
  const { statement, next } = await lasting(
    world,
    gateway.instruct(listIssuedInstruction, { key, value, after: '' }),
  );
  assert.equal(next, null);
  return lasting(world, backend.instruct(takeIssuedInstruction, { statement }));
}

function planned(world: World, kind: Aim['kind'], value: string) {
  const aim = { kind, value, from: null, to: null };
  const body = { aim, way: 'certificates', reason: 'keyCompromise' } as const;
  return lasting(world, world.instructions.backend.instruct(planRevocationInstruction, body));
}

const left = (world: World): string =>
  world.stations
    .flatMap(({ gateLog }) => gateLog)
    .flatMap(({ event, lane }) => (event === 'LEFT' ? [lane] : []))
    .join(' ');

describe('a certificate that only a rejection lists', () => {
  let world: World;
  before(async () => {
    world = await lineWithLiar();
    await world.run(DAY_MS);
  });

  it('is found by its batch once the gateway has told of it, and stands in the fleet log, once', async () => {
    assert.equal(left(world), 'good reject good');
    await assert.rejects(planned(world, 'eid', LIAR), { code: 'REVOCATION_REFUSED' });
    assert.deepEqual(await told(world, 'batch', 'SIM-*'), { known: 2, added: 1 });
    assert.deepEqual(await told(world, 'station', 'station-1'), { known: 3, added: 0 });
    const leaves = world.fleet.tables.leaves.all().map(({ entry }) => readLeaf(entry));
    const [leaf, ...more] = leaves.filter((one) => one?.kind === 'issued-certificates');
    assert.deepEqual(more, []);
    const [said] = (leaf?.body.certificates ?? []) as { eid: string; station: string }[];
    assert.deepEqual([said?.eid, said?.station], [LIAR, 'station-1']);
    for (const batch of ['SIM-BATCH-1', 'SIM-B*'])
      assert.equal((await planned(world, 'batch', batch)).certificates.length, 3);
    await assert.rejects(planned(world, 'batch', 'SIM-B'), { code: 'REVOCATION_REFUSED' });
  });

  it('is revoked like any other, and is on the list of its intermediate', async () => {
    const plan = await planned(world, 'eid', LIAR);
    assert.deepEqual(
      plan.certificates.map(({ eid, batch }) => [eid, batch]),
      [[LIAR, 'SIM-BATCH-1']],
    );
    const approvals = await Promise.all(
      ['ada', 'bob'].map((name) => approvalOf(name, plan, world.clock.now())),
    );
    const { backend, gateway } = world.instructions;
    const { orders } = await lasting(
      world,
      backend.instruct(executeRevocationInstruction, { plan, approvals }),
    );
    const signed = await lasting(world, gateway.instruct(signCrlInstruction, { orders, trustList: null }));
    assert.deepEqual(
      signed.crls.map(({ entries }) => entries),
      [1],
    );
  });

  it('is believed of a gateway alone', async () => {
    const payload = { gateway: 'gateway-1', at: '2026-01-01T00:00:00.000Z', certificates: [] };
    const statement = await seal(issuedCertificates, payload, world.parties.backendSigner, nodeCrypto);
    const { backend } = world.instructions;
    await assert.rejects(lasting(world, backend.instruct(takeIssuedInstruction, { statement })), {
      code: 'ENVELOPE_INVALID',
    });
  });
});

describe('a certificate that is told of while its unit is in work', () => {
  it('hinders no registration, and its record says the rest', async () => {
    const world = await lineWithLiar();
    await until(world, () => world.ledger.tables.certificates.all().length === 1, 'a certificate');
    assert.equal((await told(world, 'batch', 'SIM-BATCH-1')).added, 1);
    await world.run(DAY_MS);
    assert.equal(left(world), 'good reject good');
    assert.equal(world.fleet.tables.certificates.all().length, 2);
    assert.equal((await told(world, 'issuer', 'line-1')).added, 1);
  });
});
