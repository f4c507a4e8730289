/**
 * A station whose journal was put back as a whole, store and witness: the backend remembers the end that is missing, and
 * nothing is done to a unit before both agree. And one whose disk is nearly full: no unit is begun on it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createInMemoryBroker } from '../../drivers/bus/in-memory.ts';
import { createVirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import { createFixture } from '../../drivers/jig/controller/fixture.ts';
import { BLANK_MEMORY } from '../../drivers/jig/controller/gate-controller.ts';
import { createSimulatedJig } from '../../drivers/jig/simulated.ts';
import { createJournalDisk, openInMemoryJournal } from '../../drivers/journal/in-memory.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import { createBackend } from '../../runtime/backend/backend.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { uuidV4 } from '../../runtime/core/uuid.ts';
import { requireInJournal } from '../../runtime/station/agreement.ts';
import { createStation } from '../../runtime/station/station.ts';
import { createParties, simulatedTicket } from '../../scripts/simulation/parties.ts';
import { backendSettings, stationSettings } from '../../scripts/simulation/settings.ts';
import { chipKeysOf, usualSupply } from '../../scripts/simulation/supply.ts';

const START_MS = 1_767_225_600_000;
const NAME = 'station-1';
const MOTION = { arriveMs: 800, clampMs: 150, gateMs: 120, leaveMs: 600 };

/** A backend, and a disk on which one station after the other is started. Nobody plays the gateway. */
async function rig(seed: string) {
  const clock = createSimulatedClock(START_MS);
  const entropy = createSimulatedEntropy(seed);
  const parties = createParties(entropy, [NAME], START_MS);
  const weather = { lossRate: 0, duplicateRate: 0, delayMs: { min: 1, max: 4 } };
  const broker = createInMemoryBroker({ clock, entropy, weather });
  const rights = { clean: true, mayPublish: () => true, mayReceive: () => true };
  const log = createMemoryLog();
  const common = { clock, crypto: nodeCrypto, trusted: parties.trusted, log };
  const tagKey = parties.tagKeys[0] ?? assert.fail();
  const pass = async (ms: number): Promise<void> => {
    const end = clock.monotonicMs() + ms;
    while (await clock.runNext(end));
  };
  const started = createBackend(backendSettings([NAME], 'controller'), {
    ...common,
    entropy,
    bus: broker.connect({ clientId: 'backend-1', ...rights }),
    signer: parties.backendSigner,
    logSigner: parties.logSigner,
    store: createInMemoryFleetDatabase({ clock }).connect(),
    instructions: createInMemoryInstructionDoor(),
    heads: createInMemoryHead(),
    controllers: [{ name: 'gate-1', station: NAME, key: tagKey }],
  });
  await pass(1_000);
  await started;
  const order = { stations: [NAME], quota: 9, nowMs: START_MS, supply: usualSupply };
  const ticket = await simulatedTicket(parties, order);
  const disk = createJournalDisk({
    journal: uuidV4(entropy.bytes(16)),
    station: NAME,
    created: instantOf(START_MS),
  });

  let memory = BLANK_MEMORY;
  /** One life of the station, with a unit in its nest. `reachable`: whether its requests arrive. */
  const live = async (unit: number, reachable = () => true, hasRoom = () => true, own = disk) => {
    own.holder = 0;
    const journal = await openInMemoryJournal({
      disk: own,
      clock,
      sha256: nodeCrypto.sha256,
      syncMs: 1,
      hasRoom,
    });
    const fixture = createFixture({
      clock,
      self: { controller: 'gate-1', nest: 'a', cipher: (block) => nodeCrypto.aesEncryptBlock(tagKey, block) },
      memory: {
        load: () => memory,
        save: (next) => {
          memory = next;
        },
      },
      motion: MOTION,
      seat: async () => undefined,
      openTimeoutMs: 5_000,
      hostTimeoutMs: 1_000,
      witness: () => undefined,
    });
    const fresh = { eid: eidOfIndex(unit), index: unit, ...chipKeysOf(parties, usualSupply) };
    const chip = createVirtualSe({ state: freshChip(fresh), entropy });
    const bus = broker.connect({ clientId: NAME, ...rights });
    const starting = createStation(stationSettings({ name: NAME, index: 0, gate: 'controller' }, parties), {
      ...common,
      entropy,
      signer: parties.stationSigners[0] ?? assert.fail(),
      journal,
      bus: {
        ...bus,
        publish: async (...message) => (reachable() ? bus.publish(...message) : undefined),
      },
      jig: createSimulatedJig({ clock, fixture }),
      reader: () =>
        createSimulatedReader({ clock, card: () => (fixture.line.unit() === null ? null : chip) }),
      failpoint: () => undefined,
      logKey: parties.logSigner.key,
      ticket,
      genesis: own.genesis,
    });
    starting.catch(() => undefined); // Awaited below, when time has passed.
    await pass(500);
    const program = await starting;
    fixture.line.feed(1, unit);
    const view = () => program.nests[0]?.view ?? assert.fail();
    return {
      view,
      names: () => view().facts.map(({ name }) => name),
      kill: async () => {
        journal.crash();
        await bus.close();
      },
    };
  };
  return { disk, log, pass, live };
}

describe('a journal that is not the one the backend knows', () => {
  it('holds every unit when an older copy of it was put back, and the fork gets no further', async () => {
    const { disk, log, pass, live } = await rig('rolled-back');
    const first = await live(1);
    await pass(2_500);
    const copy = new Map(disk.durable);
    await pass(20_000);
    await first.kill();
    assert.ok(disk.durable.size > copy.size, 'nothing came after the copy');
    disk.durable.clear();
    for (const [key, value] of copy) disk.durable.set(key, value);

    const second = await live(2);
    await pass(40_000);
    assert.equal(second.view().held?.code, 'JOURNAL_ROLLED_BACK');
    const since = second.names().slice(second.names().lastIndexOf('arrived'));
    assert.ok(!since.includes('clamped'), since.join(' '));
    const refused = log.lines.filter(
      ({ event, fields }) => event === 'request-refused' && fields.kind === 'events',
    );
    assert.ok(refused.every(({ fields }) => fields.code === 'EVENTS_OUT_OF_ORDER') && refused.length > 0);
  });

  it('is refused at the start when it belongs to another station', async () => {
    const { disk, live } = await rig('foreign');
    const foreign = { ...disk, genesis: { ...disk.genesis, station: 'station-9' } };
    await assert.rejects(live(1, undefined, undefined, foreign), /JOURNAL_FOREIGN/);
  });

  it('is one that holds another entry in the place of the last that the backend has, or ends before it', async () => {
    const clock = createSimulatedClock(START_MS);
    const disk = createJournalDisk({ journal: 'j', station: NAME, created: instantOf(START_MS) });
    await using journal = await openInMemoryJournal({ disk, clock, sha256: nodeCrypto.sha256, syncMs: 0 });
    const started = { name: 'started', nest: null, version: '1', authority: 'shift' } as const;
    const appended = journal.append([1, 2, 3].map((at) => ({ at, fact: started })) as never);
    while (await clock.runNext());
    const [first, second] = await appended;
    await requireInJournal(journal, second ?? assert.fail());
    const forked = { sequence: 1, hash: first?.hash ?? assert.fail() };
    await assert.rejects(requireInJournal(journal, forked), /JOURNAL_ROLLED_BACK/);
    await assert.rejects(requireInJournal(journal, { ...forked, sequence: 3 }), /JOURNAL_ROLLED_BACK/);
  });

  it('lets the next unit in when the journal is as it was left', async () => {
    const { pass, live } = await rig('as-left');
    const first = await live(1);
    await pass(20_000);
    await first.kill();
    const second = await live(2);
    await pass(20_000);
    assert.ok(second.names().lastIndexOf('reserved') > second.names().lastIndexOf('arrived'));
  });

  it('waits for a backend that is away at the start, and goes on by itself when it is back', async () => {
    const { pass, live } = await rig('away');
    let reachable = false;
    const station = await live(1, () => reachable);
    await pass(15_000);
    const holds = station.view().facts.flatMap((fact) => (fact.name === 'held' ? fact.fault.code : []));
    assert.ok(holds.length > 0 && holds.every((code) => code === 'BACKEND_SILENT'), holds.join(' '));
    assert.ok(!station.names().includes('clamped'));
    reachable = true;
    await pass(60_000);
    assert.ok(station.names().includes('reserved'));
  });
});

describe('a disk that is nearly full', () => {
  it('takes no new unit, and the one that waits as soon as there is room', async () => {
    const { pass, live } = await rig('no-room');
    let room = false;
    const station = await live(
      1,
      () => true,
      () => room,
    );
    await pass(15_000);
    const holds = station.view().facts.flatMap((fact) => (fact.name === 'held' ? fact.fault.code : []));
    assert.ok(holds.length > 0 && holds.every((code) => code === 'JOURNAL_SPACE_LOW'), holds.join(' '));
    assert.ok(!station.names().includes('clamped'));
    room = true;
    await pass(60_000);
    assert.ok(station.names().includes('reserved'));
  });

  it('keeps no unit from its end that is reserved', async () => {
    const { pass, live } = await rig('room-lost');
    let room = true;
    const station = await live(
      1,
      () => true,
      () => room,
    );
    await pass(4_000);
    assert.ok(station.names().includes('reserved'));
    room = false;
    await pass(60_000);
    const last = station.names().slice(station.names().lastIndexOf('resumed'));
    assert.ok(last.includes('clamped') && last.includes('reserved'), last.join(' '));
  });
});
