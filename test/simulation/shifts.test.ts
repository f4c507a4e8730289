/** Who is in charge at a simulated station: operators with badges, and the named authority between them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StationConfig } from '../../config/station.ts';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import { createSimulatedJig } from '../../drivers/jig/simulated.ts';
import { openInMemoryJournal } from '../../drivers/journal/in-memory.ts';
import { operatorInCharge } from '../../runtime/backend/operators.ts';
import { toBase64 } from '../../runtime/core/bytes.ts';
import { Fault } from '../../runtime/core/faults.ts';
import { payloadOf, seal } from '../../runtime/core/messages/envelope.ts';
import { shiftReceipt, showShiftInstruction } from '../../runtime/core/messages/shift.ts';
import type { Requester } from '../../runtime/exchange/requester.ts';
import type { StationPorts } from '../../runtime/station/ports.ts';
import { openShifts } from '../../runtime/station/shifts.ts';
import { createStation } from '../../runtime/station/station.ts';
import { driven } from '../../scripts/simulation/driven.ts';
import { simulatedTicket } from '../../scripts/simulation/parties.ts';
import { backendSettings, stationSettings } from '../../scripts/simulation/settings.ts';
import { usualSupply } from '../../scripts/simulation/supply.ts';
import type { World } from '../../scripts/simulation/world.ts';
import { pass, stationOf } from './by-hand.ts';
import {
  AUTHORITY,
  BADGE,
  history,
  lasting,
  makes,
  plant,
  refusedWith,
  registered,
  shiftFacts,
  shown,
  signIn,
  signOut,
  toldOf,
  UNATTENDED,
} from './shift-plant.ts';

const HOUR_MS = 3_600_000;

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

/** A backend that answers each sign-in alike. */
function answering(shift: object): Requester {
  const key = toBase64(nodeCrypto.drawAgreementKey(createSimulatedEntropy('theirs')).publicKey);
  const bodyOf = (asked: unknown) =>
    (asked as { kind: string }).kind === 'key' ? { kind: 'key', key } : shift;
  return {
    ask: async (_kind: unknown, _question: unknown, asked: unknown) => ({ body: bodyOf(asked) }),
  } as never;
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

  it('names the pseudonym in a rejection too', async () => {
    const world = await plant('a rejection', { manners: { 1: { name: 'claims-another-eid' } } });
    const pseudonym = await registered(world, BADGE);
    await signIn(world, BADGE);
    await makes(world, 1);
    const { leaves } = await toldOf(world);
    assert.deepEqual(leaves, [{ kind: 'rejection', operator: pseudonym }]);
  });

  it('counts a sign-in once it is past fsync, and ends where the journal fails', async () => {
    const world = await plant('fsync');
    const pseudonym = await registered(world, BADGE);
    await signIn(world, BADGE);
    const [begun] = shiftFacts(world);
    assert.ok(begun?.name === 'signed-in');
    const { clock, log, parties } = world;
    const requester = answering({ kind: 'shift', receipt: begun.receipt, name: 'Ada L.' });
    const during: string[] = [];
    const failures: unknown[] = [];
    let works = true;
    const ports = {
      ...{ clock, log, crypto: nodeCrypto, trusted: parties.trusted, entropy: createSimulatedEntropy('own') },
      journal: {
        append: async () => {
          during.push(shifts.inCharge);
          if (!works) throw new Fault('JOURNAL_POISONED');
        },
      },
    };
    const shifts = await openShifts(
      { station: 'station-1', authority: UNATTENDED, nests: [{ name: 'a' }] } as unknown as StationConfig,
      ports as unknown as StationPorts,
      { requester, past: null, changed: () => undefined, failed: (error) => failures.push(error) },
    );
    await shifts.signIn(BADGE);
    assert.deepEqual([during, shifts.inCharge], [[UNATTENDED], pseudonym]);
    await shifts.signOut();
    assert.deepEqual([during.at(-1), shifts.inCharge], [pseudonym, UNATTENDED]);
    works = false;
    await assert.rejects(shifts.signIn(BADGE), refusedWith('JOURNAL_POISONED'));
    assert.deepEqual([failures.length, shifts.inCharge], [1, UNATTENDED]);
    shifts.stop();
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
