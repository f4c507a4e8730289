/** A station that officers revoke: refused from its next request on, at the backend and at every gateway. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { BackendPorts } from '../../runtime/backend/ports.ts';
import { openStationRegister } from '../../runtime/backend/station-register.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { seal } from '../../runtime/core/messages/envelope.ts';
import { dialogueContinueExchange, journalHeadExchange } from '../../runtime/core/messages/exchanges.ts';
import {
  revokeStation,
  stationRevocationSubject,
  stationRevocations,
  takeStationRevocations,
  tellStationRevocations,
} from '../../runtime/core/messages/station-revocation.ts';
import type { GatewayPorts } from '../../runtime/gateway/ports.ts';
import { readStationList } from '../../runtime/gateway/station-list.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { ask, hasFact, until } from '../simulation/by-hand.ts';
import { approve, quorum, trustedOfficers } from './officers.ts';

const REASON = 'stolen from line 1';
const JOURNAL = '01890000-0000-4000-8000-000000000009';

const aStep = {
  body: { dialogue: JOURNAL, outcome: 'played', answers: 'a..b.c.d' },
  binding: { operation: JOURNAL, epoch: 1 },
  step: 3,
};

function plant(
  seed: string,
  more: { gateways?: number; tap?: (topic: string) => void } = {},
): Promise<World> {
  const revokers = { quorum, keys: trustedOfficers };
  return createWorld({ seed, stations: 2, units: 4, revokers, ...more });
}

async function approvals(world: World, station: string, reason = REASON): Promise<string[]> {
  const subject = stationRevocationSubject({ station, reason }, nodeCrypto);
  const nowMs = world.clock.now();
  return Promise.all([
    approve('ada', 'station-revocation', subject, nowMs),
    approve('bob', 'station-revocation', subject, nowMs),
  ]);
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

async function revoked(world: World, station = 'station-1') {
  const body = { station, reason: REASON, approvals: await approvals(world, station) };
  return lasting(world, world.instructions.backend.instruct(revokeStation, body));
}

function asksHead(world: World, number: number) {
  return ask(world, number, journalHeadExchange, { body: { journal: JOURNAL } });
}

describe('a revoked station', () => {
  it('is refused by the backend from its next request on, while another goes on', async () => {
    const world = await plant('revoked at the backend');
    assert.equal((await lasting(world, asksHead(world, 1))).refused, null);
    await revoked(world);
    assert.equal((await lasting(world, asksHead(world, 1))).refused, 'STATION_REVOKED');
    assert.equal((await lasting(world, asksHead(world, 2))).refused, null);
    const refusals = world.log.lines.filter(({ event }) => event === 'request-refused');
    assert.ok(
      refusals.some(({ fields }) => fields.station === 'station-1' && fields.code === 'STATION_REVOKED'),
    );
  });

  it('gets no reservation: its unit is held, and none of its units leaves', async () => {
    const world = await plant('revoked before its first unit');
    await revoked(world);
    await until(world, () => hasFact(world, 1, 'held'), 'a hold');
    await world.run(120_000);
    const left = world.stations.map(({ gateLog }) => gateLog.filter(({ event }) => event === 'LEFT').length);
    assert.deepEqual(left, [0, 2]);
  });

  it('is refused in the middle of a dialogue by a gateway that was given the list', async () => {
    let brought = 0;
    const world: World = await plant('revoked in the middle', {
      tap: (topic) => {
        if (topic.includes('/req/station-1/gateway/gateway-1/continue')) brought += 1;
      },
    });
    await until(world, () => brought === 2, 'a dialogue');
    const { list } = await revoked(world);
    const taken = await lasting(world, world.instructions.gateway.instruct(takeStationRevocations, { list }));
    assert.deepEqual(taken, { number: 1, stations: ['station-1'], enrolled: [] });
    const asked = await lasting(world, ask(world, 1, dialogueContinueExchange, aStep));
    assert.equal(asked.refused, 'STATION_REVOKED');
    await world.run(120_000);
    assert.equal(world.stations[0]?.gateLog.filter(({ event }) => event === 'LEFT').length, 0);
  });

  it('is refused in the middle of a dialogue by a gateway whose neighbour was given the list', async () => {
    let brought = 0;
    const world: World = await plant('revoked at the neighbour', {
      tap: (topic) => {
        if (topic.includes('/req/station-1/gateway/gateway-1/continue')) brought += 1;
      },
    });
    await until(world, () => brought === 2, 'a dialogue');
    const { list } = await revoked(world);
    await lasting(world, world.ledger.connect().keepStationList(1, list));
    const { refused } = await lasting(world, ask(world, 1, dialogueContinueExchange, aStep));
    assert.equal(refused, 'STATION_REVOKED');
    await world.run(120_000);
    assert.equal(world.stations[0]?.gateLog.filter(({ event }) => event === 'LEFT').length, 0);
  });

  it('is refused by a backend whose neighbour revoked it, and its confirmed unit is not registered', async () => {
    const world = await plant('revoked at another backend');
    await until(world, () => hasFact(world, 1, 'reserved'), 'a reservation');
    const since = instantOf(world.clock.now());
    const row = { station: 'station-1', number: 1, since, reason: REASON };
    await lasting(
      world,
      world.fleet.connect().transaction((tx) => tx.insertRevokedStation(row)),
    );
    await world.run(120_000);
    assert.ok(hasFact(world, 1, 'confirmed'), 'no gateway was told');
    assert.ok(!hasFact(world, 1, 'registered'));
    assert.equal((await lasting(world, asksHead(world, 1))).refused, 'STATION_REVOKED');
    assert.deepEqual(
      world.fleet.tables.records.all().length,
      world.stations[1]?.gateLog.filter(({ event }) => event === 'LEFT').length,
    );
    const leaves = world.fleet.tables.leaves.all().map(({ entry }) => readLeaf(entry));
    assert.equal(leaves.filter((leaf) => leaf?.kind === 'station-refusal').length, 1);
  });

  it('is refused by every gateway of the HSM when one was given the list', async () => {
    const world = await plant('revoked at both gateways', { gateways: 2 });
    const { list } = await revoked(world, 'station-2');
    await lasting(world, world.instructions.gateway.instruct(takeStationRevocations, { list }));
    await world.run(120_000);
    const opened = world.ledger.tables.dialogues.all();
    assert.deepEqual([...new Set(opened.map(({ station }) => station))], ['station-1']);
    assert.deepEqual([...new Set(opened.map(({ instance }) => instance))].sort(), ['gateway-1', 'gateway-2']);
  });

  it('is refused by programs that are started again, and by a gateway that was told nothing', async () => {
    const world = await plant('revoked before a restart');
    const { list } = await revoked(world);
    await lasting(world, world.instructions.gateway.instruct(takeStationRevocations, { list }));
    const { clock, log, parties } = world;
    const common = { clock, log, trusted: parties.trusted, crypto: nodeCrypto };
    const backend = { ...common, store: world.fleet.connect(), signer: parties.backendSigner };
    const gateway = { ...common, ledger: world.ledger.connect() };
    const register = await lasting(world, openStationRegister(backend as unknown as BackendPorts));
    assert.throws(() => register.demand('station-1'), { code: 'STATION_REVOKED' });
    register.demand('station-2');
    const told = await lasting(world, readStationList(gateway as unknown as GatewayPorts));
    await assert.rejects(lasting(world, told.demand('station-1')), { code: 'STATION_REVOKED' });
    await lasting(world, told.demand('station-2'));
  });

  it('stands in the fleet log with its officers, once, however often it is revoked', async () => {
    const world = await plant('revoked twice');
    const first = await revoked(world);
    const again = await revoked(world);
    assert.deepEqual([again.since, again.number], [first.since, 1]);
    const leaves = world.fleet.tables.leaves.all().map(({ entry }) => readLeaf(entry));
    const [leaf, ...more] = leaves.filter((one) => one?.kind === 'station-revocation');
    assert.deepEqual(more, []);
    assert.deepEqual(leaf?.body.officers, ['ada', 'bob']);
    assert.deepEqual([leaf?.body.station, leaf?.body.reason], ['station-1', REASON]);
  });
});

describe('the requests of a revoked station', () => {
  it('are an event of the fleet log, once, however often it asks', async () => {
    const world = await plant('asks again and again');
    await revoked(world);
    const asking = Promise.all(Array.from({ length: 5 }, () => asksHead(world, 1)));
    for (const { refused } of await lasting(world, asking)) assert.equal(refused, 'STATION_REVOKED');
    await lasting(world, asksHead(world, 1));
    const leaves = world.fleet.tables.leaves.all().map(({ entry }) => readLeaf(entry));
    const refusals = leaves.filter((leaf) => leaf?.kind === 'station-refusal');
    assert.deepEqual(
      refusals.map((leaf) => leaf?.body.station),
      ['station-1'],
    );
  });

  it('are refused also while the log cannot be written', async () => {
    const world = await plant('no store');
    await revoked(world);
    world.fleet.setReachable(false);
    assert.equal((await lasting(world, asksHead(world, 1))).refused, 'STATION_REVOKED');
    assert.ok(world.log.lines.some(({ fields }) => fields.warning === 'a refusal is not in the log'));
  });
});

describe('the revocation of a station', () => {
  it('needs the quorum, for this very station and reason', async () => {
    const world = await plant('not enough');
    const order = { station: 'station-1', reason: REASON };
    const both = await approvals(world, 'station-1');
    const instruct = (given: readonly string[], wanted = order) =>
      lasting(
        world,
        world.instructions.backend.instruct(revokeStation, { ...wanted, approvals: [...given] }),
      );
    await assert.rejects(instruct(both.slice(0, 1)), { code: 'APPROVALS_MISSING' });
    await assert.rejects(instruct([...both.slice(0, 1), ...both.slice(0, 1)]), { code: 'APPROVAL_REFUSED' });
    await assert.rejects(instruct(both, { ...order, station: 'station-2' }), { code: 'APPROVAL_REFUSED' });
    await assert.rejects(instruct(both, { ...order, reason: 'another' }), { code: 'APPROVAL_REFUSED' });
    assert.equal((await lasting(world, asksHead(world, 1))).refused, null);
  });

  it('is refused where the configuration names nobody who may', async () => {
    const world = await createWorld({ seed: 'nobody', stations: 1, units: 1 });
    const body = { station: 'station-1', reason: REASON, approvals: [] };
    await assert.rejects(lasting(world, world.instructions.backend.instruct(revokeStation, body)), {
      code: 'CONFIG_INVALID',
    });
  });

  it('cannot be taken back by an older list, nor by one that leaves a station out', async () => {
    const world = await plant('rolled back');
    const { instructions, parties } = world;
    const take = (list: string) =>
      lasting(world, instructions.gateway.instruct(takeStationRevocations, { list }));
    const none = await lasting(world, instructions.backend.instruct(tellStationRevocations, {}));
    const { list } = await revoked(world);
    await take(list);
    await take(list);
    await assert.rejects(take(none.list), { code: 'STATION_LIST_REFUSED' });
    const other = { station: 'station-9', since: '2026-01-01T00:00:00.000Z', reason: REASON };
    const forged = (signer = parties.backendSigner) =>
      seal(stationRevocations, { number: 1, at: other.since, stations: [other] }, signer, nodeCrypto);
    await assert.rejects(take(await forged()), { code: 'STATION_LIST_REFUSED' });
    const stranger = parties.stationSigners[0];
    assert.ok(stranger);
    await assert.rejects(take(await forged(stranger)), { code: 'ENVELOPE_INVALID' });
  });
});
