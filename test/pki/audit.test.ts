/** `holdfast audit verify` holds revocations, trust lists and the standing of stations against what the log says. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { auditFleet, type Problem } from '../../runtime/cli/audit/audit.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { askEnrolment, enrolmentSubject, readEnrolment } from '../../runtime/core/messages/enrolment.ts';
import {
  executeRevocationInstruction,
  planRevocationInstruction,
} from '../../runtime/core/messages/revocation.ts';
import { enrolStation } from '../../runtime/core/messages/station-enrolment.ts';
import { revokeStation, stationRevocationSubject } from '../../runtime/core/messages/station-revocation.ts';
import type { Aim } from '../../runtime/core/pki/revocation-plan.ts';
import { ISSUER } from '../../scripts/simulation/parties.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import * as stationOfficers from '../identity/officers.ts';
import { until } from '../simulation/by-hand.ts';
import { approvalOf, officers, quorum } from './officers.ts';

let world: World;

async function lasting<T>(work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  await until(world, () => settled, 'an answer');
  return done;
}

async function revoke(kind: Aim['kind'], value: string): Promise<void> {
  const { backend } = world.instructions;
  const aim = { kind, value, from: null, to: null };
  const body = { aim, way: 'auto', reason: 'keyCompromise' } as const;
  const plan = await lasting(backend.instruct(planRevocationInstruction, body));
  const signing = ['ada', 'bob'].map((name) => approvalOf(name, plan, world.clock.now()));
  await lasting(
    backend.instruct(executeRevocationInstruction, { plan, approvals: await Promise.all(signing) }),
  );
}

const approvedBy = (purpose: 'station-revocation' | 'station-enrolment', subject: string) =>
  Promise.all(
    (['ada', 'bob'] as const).map((name) =>
      stationOfficers.approve(name, purpose, subject, world.clock.now()),
    ),
  );

async function changeStations(): Promise<void> {
  const { backend } = world.instructions;
  const order = { station: 'station-9', reason: 'stolen' };
  const subject = stationRevocationSubject(order, nodeCrypto);
  const approvals = await approvedBy('station-revocation', subject);
  await lasting(backend.instruct(revokeStation, { ...order, approvals }));
  const entropy = createSimulatedEntropy('audited stations');
  const signer = () => createSoftwareSigner(privateKeyFrom(entropy.bytes(40)));
  const asked = { station: 'station-8', requestedAt: instantOf(world.clock.now()) };
  const keys = { tls: signer(), envelope: signer() };
  const request = await askEnrolment(asked, keys, { code: null, present: null }, nodeCrypto);
  const enrolling = enrolmentSubject(readEnrolment(request, nodeCrypto), nodeCrypto);
  const given = await approvedBy('station-enrolment', enrolling);
  await lasting(backend.instruct(enrolStation, { request, approvals: given }));
}

async function audited(): Promise<Problem | null> {
  const store = world.fleet.connect();
  const fleet = {
    read: <T>(work: Parameters<typeof store.transaction<T>>[0]) => lasting(store.transaction(work)),
    operation: async () => null,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const { key } = world.parties.logSigner;
  return (await auditFleet(fleet, key, nodeCrypto, () => undefined)).problem;
}

describe('the audit of revocations', () => {
  before(async () => {
    world = await createWorld({
      ...{ seed: 'audited revocations', stations: 1, units: 2 },
      revocation: { quorum, officers, publisher: { publish: async () => undefined } },
      revokers: { quorum: stationOfficers.quorum, keys: stationOfficers.trustedOfficers },
    });
    await world.run(86_400_000);
    await revoke('eid', eidOfIndex(1));
    await revoke('intermediate', ISSUER);
    await changeStations();
  });

  it('finds nothing wrong with what the backend wrote', async () => {
    assert.equal(await audited(), null);
  });

  it('names each row that is missing, changed, or that no leaf speaks of', async () => {
    const { tables } = world.fleet;
    const cases = [
      [tables.revocations, { reason: 'superseded' }, { serial: 'ab' }, 'revocation of certificate'],
      [tables.revokedIssuers, { issuerKeyId: 'ab' }, { issuer: 'line-9' }, 'revocation of intermediate'],
      [tables.plans, { executedAt: '2020' }, { plan: 'ab' }, 'executed plan'],
      [tables.trustLists, { leafIndex: 1 }, { number: 9 }, 'trust list'],
      [
        tables.revokedStations,
        { since: '2020' },
        { station: 'station-7', number: 9 },
        'revocation of station',
      ],
      [tables.enrolledStations, { envelopeKey: '04' }, { number: 9, envelopeKey: '05' }, 'enrolment'],
    ] as unknown as readonly [Spoilable, object, object, string][];
    for (const [table, change, other, name] of cases) {
      const [row = assert.fail(name)] = table.all();
      table.remove(row, []);
      await demandNamed(name, /missing/);
      table.insert({ ...row, ...change }, []);
      await demandNamed(name, /another than was logged/);
      table.remove({ ...row, ...change }, []);
      table.insert(row, []);
      const added = { ...row, ...other };
      table.insert(added, []);
      await demandNamed(name, /no leaf of the log/);
      table.remove(added, []);
      assert.equal(await audited(), null, 'mended');
    }
  });
});

interface Spoilable {
  all(): readonly object[];
  insert(row: object, undo: []): void;
  remove(row: object, undo: []): void;
}

async function demandNamed(name: string, why: RegExp): Promise<void> {
  const problem = await audited();
  assert.ok(problem?.where.startsWith(name), `${name}: ${JSON.stringify(problem)}`);
  assert.match(problem?.why ?? '', why);
}
