/** Who is in charge at a simulated station: operators with badges, and the named authority between them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import { createSimulatedJig } from '../../drivers/jig/simulated.ts';
import { openInMemoryJournal } from '../../drivers/journal/in-memory.ts';
import { operatorInCharge } from '../../runtime/backend/operators.ts';
import { payloadOf, seal } from '../../runtime/core/messages/envelope.ts';
import { operatorOrderHash, registerOperatorInstruction } from '../../runtime/core/messages/operator.ts';
import { shiftReceipt, showShiftInstruction } from '../../runtime/core/messages/shift.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import { createStation } from '../../runtime/station/station.ts';
import { driven } from '../../scripts/simulation/driven.ts';
import { simulatedTicket } from '../../scripts/simulation/parties.ts';
import { backendSettings, stationSettings } from '../../scripts/simulation/settings.ts';
import { usualSupply } from '../../scripts/simulation/supply.ts';
import type { World } from '../../scripts/simulation/world.ts';
import { pass, stationOf } from './by-hand.ts';
import {
  AUTHORITY,
  approvals,
  BADGE,
  history,
  lasting,
  makes,
  orderFor,
  plant,
  refusedWith,
  registered,
  removed,
  shown,
  signIn,
  signOut,
  toldOf,
} from './shift-plant.ts';

const HOUR_MS = 3_600_000;
const UNATTENDED = 'unattended under authority of the simulation';

/** Sign-ins and sign-outs that the journal of the station holds, past fsync. */
function shiftFacts(world: World): readonly Fact[] {
  const texts = [...stationOf(world, 1).disk.durable].filter(([key]) => key.startsWith('j!'));
  return texts
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => Buffer.from(value).toString())
    .map((text) => (JSON.parse(text.slice(0, text.lastIndexOf(' '))) as { fact: Fact }).fact)
    .filter(({ name }) => name === 'signed-in' || name === 'signed-out');
}

/** The station's program ends and begins again on what its disk holds. @returns where it is instructed */
async function restarted(world: World) {
  const { program, disk: before, fixture, seated } = stationOf(world, 1);
  await lasting(world, program.stop());
  // What a dead program has held open nobody holds.
  const disk = { ...before, durable: new Map(before.durable), holder: 0 };
  const { clock, parties, broker, log } = world;
  const nowMs = clock.now();
  const door = createInMemoryInstructionDoor();
  const place = { name: 'station-1', index: 0, gate: 'controller' } as const;
  const order = { stations: ['station-1'], quota: 9, nowMs, supply: usualSupply };
  const everything = { mayPublish: () => true, mayReceive: () => true };
  const ports = {
    ...{ clock, log, crypto: nodeCrypto, trusted: parties.trusted, instructions: door },
    ...{ entropy: createSimulatedEntropy('again'), failpoint: () => undefined, genesis: disk.genesis },
    signer: parties.stationSigners[0] ?? assert.fail('no station'),
    journal: await driven(clock, openInMemoryJournal({ disk, clock, sha256: nodeCrypto.sha256, syncMs: 1 })),
    bus: broker.connect({ clientId: 'station-1', clean: true, ...everything }),
    jig: createSimulatedJig({ clock, fixture }),
    reader: () => createSimulatedReader({ clock, card: seated }),
    logKey: parties.logSigner.key,
    ticket: await simulatedTicket(parties, order),
  };
  await driven(clock, createStation(stationSettings(place, parties), ports));
  return door;
}

describe('a simulated line whose operators sign in', () => {
  it('names in each record and leaf the pseudonym of its shift, or the authority, and never a badge or a name', async () => {
    const wire: string[] = [];
    const world = await plant('two shifts', {
      tap: (_topic, payload) => {
        const text = Buffer.from(payload).toString();
        wire.push(text, Buffer.from(text.split('.')[1] ?? '', 'base64url').toString());
      },
    });
    const first = await registered(world, BADGE, 'Ada Lovelace');
    const second = await registered(world, '0004712', 'Grace Hopper');
    await makes(world, 1);
    const shift = await signIn(world, BADGE);
    assert.deepEqual([shift.inCharge, shift.name], [first, 'Ada Lovelace']);
    await makes(world, 2);
    await signIn(world, '0004712');
    await makes(world, 3);
    assert.equal((await signOut(world)).until, null);
    await makes(world, 4);
    await pass(world, 5_000);
    const { leaves, records } = await toldOf(world);
    assert.deepEqual(records, [AUTHORITY, first, second, AUTHORITY]);
    assert.deepEqual(
      leaves.filter(({ kind }) => kind === 'registration').map(({ operator }) => operator),
      [AUTHORITY, first, second, AUTHORITY],
    );
    const traces = await world.fleet
      .connect()
      .transaction((tx) => tx.tracesBy('operator', first, { from: '2000', to: '3000' }, 10));
    assert.equal(new Set(traces.map(({ eid }) => eid)).size, 1);
    assert.ok(history(world).includes(first));
    for (const secret of [BADGE, 'Lovelace', 'Hopper']) assert.equal(history(world).includes(secret), false);
    assert.equal(wire.join('\n').includes(BADGE), false);
  });

  it('ends the shift with its time, in the journal too, and the authority is in charge again', async () => {
    const world = await plant('the end of a shift', { shiftHours: 1 });
    const pseudonym = await registered(world, BADGE);
    await signIn(world, BADGE);
    await pass(world, HOUR_MS - 60_000);
    assert.equal((await shown(world)).inCharge, pseudonym);
    await pass(world, 65_000);
    assert.deepEqual(await shown(world), { inCharge: UNATTENDED, name: null, until: null });
    const [, over, ...rest] = shiftFacts(world);
    assert.deepEqual([over?.name === 'signed-out' && over.by, rest.length], ['end', 0]);
    await makes(world, 1);
    assert.deepEqual((await toldOf(world)).records, [AUTHORITY]);
  });

  it('writes the end of one shift and the next in one go, and names both', async () => {
    const world = await plant('one after another');
    await registered(world, BADGE);
    await registered(world, '0004712', 'Grace Hopper');
    await signIn(world, BADGE);
    await signIn(world, '0004712');
    const facts = shiftFacts(world);
    assert.deepEqual(
      facts.map((fact) => (fact.name === 'signed-out' ? fact.by : fact.name)),
      ['signed-in', 'sign-in', 'signed-in'],
    );
    const [first, ended] = facts;
    assert.ok(first?.name === 'signed-in' && ended?.name === 'signed-out');
    assert.equal(payloadOf(shiftReceipt, first.receipt)?.shift, ended.shift);
  });

  it('goes on with the shift while the backend is out of reach, and signs nobody in', async () => {
    const world = await plant('no backend');
    const pseudonym = await registered(world, BADGE);
    await registered(world, '0004712', 'Grace Hopper');
    await signIn(world, BADGE);
    world.fleet.setReachable(false);
    await assert.rejects(signIn(world, '0004712'), refusedWith('STORE_UNAVAILABLE'));
    assert.equal((await shown(world)).inCharge, pseudonym);
    world.fleet.setReachable(true);
    await makes(world, 1);
    assert.deepEqual((await toldOf(world)).records, [pseudonym]);
  });

  it('goes on with the shift after a restart, without the name, which is kept nowhere', async () => {
    const world = await plant('restart', { cheap: false });
    const pseudonym = await registered(world, BADGE);
    const { until } = await signIn(world, BADGE);
    const door = await restarted(world);
    const after = await lasting(world, door.instruct(showShiftInstruction, {}));
    assert.deepEqual(after, { inCharge: pseudonym, name: null, until });
  });

  it('goes on with the shift though the entry of its sign-in was given up', async () => {
    const world = await plant('cut', { cheap: false, keepEntries: 8 });
    const pseudonym = await registered(world, BADGE);
    await signIn(world, BADGE);
    for (const unit of [1, 2, 3]) await makes(world, unit);
    await pass(world, 10_000);
    assert.deepEqual(shiftFacts(world), [], 'its entry is still there');
    const door = await restarted(world);
    const after = await lasting(world, door.instruct(showShiftInstruction, {}));
    assert.equal(after.inCharge, pseudonym);
  });
});

describe('an operator of a simulated plant', () => {
  it('is not let in with a badge that nobody registered, and nothing is written', async () => {
    const world = await plant('unknown badge');
    await registered(world, BADGE);
    await assert.rejects(signIn(world, '0004799'), refusedWith('OPERATOR_UNKNOWN'));
    assert.deepEqual([shiftFacts(world).length, (await shown(world)).inCharge], [0, UNATTENDED]);
  });

  it('waits ten minutes where ten unknown badges were shown: they cannot be tried one by one', async () => {
    const world = await plant('trying badges');
    await registered(world, BADGE);
    for (let i = 0; i < 10; i++)
      await assert.rejects(signIn(world, `000480${i}`), refusedWith('OPERATOR_UNKNOWN'));
    await assert.rejects(signIn(world, BADGE), refusedWith('SIGN_IN_BARRED'));
    await pass(world, 605_000);
    assert.equal((await signIn(world, BADGE)).name, 'Ada L.');
  });

  it('is named no longer once officers have removed the registration, in the middle of a shift too', async () => {
    const world = await plant('removed');
    const pseudonym = await registered(world, BADGE);
    await signIn(world, BADGE);
    await makes(world, 1);
    await removed(world, pseudonym, false);
    await makes(world, 2);
    assert.deepEqual((await toldOf(world)).records, [pseudonym, AUTHORITY]);
    await assert.rejects(signIn(world, BADGE), refusedWith('OPERATOR_UNKNOWN'));
  });

  it('is forgotten with its key: the pseudonym stays, and the badge gives another one', async () => {
    const world = await plant('forgotten');
    const pseudonym = await registered(world, BADGE, 'Ada Lovelace');
    await signIn(world, BADGE);
    await signOut(world);
    await removed(world, pseudonym, true);
    assert.equal(world.fleet.tables.operatorKeys.all().length, 0);
    assert.ok(history(world).includes(pseudonym));
    const order = { ...orderFor(BADGE, 'Ada Lovelace'), salt: '5b'.repeat(16) };
    const by = await approvals(world, operatorOrderHash(order, nodeCrypto));
    const { backend } = world.instructions;
    const again = await lasting(
      world,
      backend.instruct(registerOperatorInstruction, { order, approvals: by }),
    );
    assert.notEqual(again.pseudonym, pseudonym);
  });

  it('is registered by officers alone, once an order, and no badge twice', async () => {
    const world = await plant('who registers');
    const order = orderFor(BADGE, 'Ada L.');
    const by = await approvals(world, operatorOrderHash(order, nodeCrypto));
    const told = (body: { order: typeof order; approvals: string[] }) =>
      lasting(world, world.instructions.backend.instruct(registerOperatorInstruction, body));
    await assert.rejects(told({ order, approvals: by.slice(1) }), refusedWith('APPROVALS_MISSING'));
    await assert.rejects(
      told({ order: { ...order, badge: '0004712' }, approvals: by }),
      refusedWith('APPROVAL_REFUSED'),
    );
    const { pseudonym } = await told({ order, approvals: by });
    assert.equal((await told({ order, approvals: by })).pseudonym, pseudonym);
    const another = { ...order, salt: '5b'.repeat(16) };
    const theirs = await approvals(world, operatorOrderHash(another, nodeCrypto));
    await assert.rejects(told({ order: another, approvals: theirs }), refusedWith('OPERATOR_REFUSED'));
    await removed(world, pseudonym, true);
    await assert.rejects(told({ order, approvals: by }), refusedWith('OPERATOR_REFUSED'));
  });
});

describe('the receipt of a shift', () => {
  it('names an operator at its own station and until its end, as the backend signed it, and nowhere else', async () => {
    const world = await plant('receipts', { cheap: false });
    const pseudonym = await registered(world, BADGE);
    await signIn(world, BADGE);
    const [begun] = shiftFacts(world);
    assert.ok(begun?.name === 'signed-in');
    const { clock, fleet, parties } = world;
    const config = backendSettings(['station-1', 'station-2'], 'controller');
    const inCharge = (station: string, receipt: string): Promise<string> => {
      const means = { clock, crypto: nodeCrypto, trusted: parties.trusted, store: fleet.connect() };
      return lasting(world, operatorInCharge(station, receipt, config, means));
    };
    assert.equal(await inCharge('station-1', begun.receipt), pseudonym);
    await assert.rejects(inCharge('station-2', begun.receipt), refusedWith('SHIFT_INVALID'));
    const shift = payloadOf(shiftReceipt, begun.receipt) ?? assert.fail('no receipt');
    const own = parties.stationSigners[0] ?? assert.fail('no station');
    const longer = { ...shift, until: '2027-01-01T00:00:00.000Z' };
    const forged = await seal(shiftReceipt, longer, own, nodeCrypto);
    await assert.rejects(inCharge('station-1', forged), refusedWith('SHIFT_INVALID'));
    const past = { ...shift, until: shift.since };
    const ended = await seal(shiftReceipt, past, parties.backendSigner, nodeCrypto);
    assert.equal(await inCharge('station-1', ended), AUTHORITY);
  });
});
