/**
 * A whole plant in one process and in simulated time: the production modules of station, gateway and backend
 * on simulated ports. The same seed gives the same history, byte for byte.
 */
import { createHash } from 'node:crypto';
import { backendConfig } from '../../config/backend.ts';
import { gatewayConfig } from '../../config/gateway.ts';
import { stationConfig } from '../../config/station.ts';
import { createInMemoryBroker, type InMemoryBroker, type Weather } from '../../drivers/bus/in-memory.ts';
import { createVirtualSe, type VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { createSimulatedClock, type SimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createFixture, type Fixture, type GateLogLine } from '../../drivers/jig/controller/fixture.ts';
import { BLANK_MEMORY, type ControllerMemory } from '../../drivers/jig/controller/gate-controller.ts';
import { simulatedNestPins } from '../../drivers/jig/controller/pin-map.ts';
import { createSimulatedJig } from '../../drivers/jig/simulated.ts';
import { createJournalDisk, type JournalDisk, openInMemoryJournal } from '../../drivers/journal/in-memory.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryFleetDatabase, type InMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { createInMemoryLedgerDatabase } from '../../drivers/store/in-memory-ledger.ts';
import { createSimulatedToken } from '../../drivers/token/simulated.ts';
import { createBackend } from '../../runtime/backend/backend.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { derCertificates } from '../../runtime/core/pki/tbs.ts';
import type { Bus } from '../../runtime/core/ports.ts';
import { uuidV4 } from '../../runtime/core/uuid.ts';
import { createGateway } from '../../runtime/gateway/gateway.ts';
import { createStation, type Station } from '../../runtime/station/station.ts';
import { createParties, ISSUER, type SimulatedParties, simulatedTicket } from './parties.ts';

export interface WorldOptions {
  readonly seed: string;
  readonly stations: number;
  readonly units: number;
  readonly weather?: Weather;
  /** Sees every message as it is published. */
  readonly tap?: (topic: string, payload: Uint8Array) => void;
  /** Sees every command and answer on the wire of a chip. */
  readonly wire?: (command: Uint8Array, answer: Uint8Array) => void;
}

export interface SimulatedStation {
  readonly name: string;
  readonly fixture: Fixture;
  readonly disk: JournalDisk;
  readonly program: Station;
  readonly gateLog: GateLogLine[];
}

export interface World {
  readonly clock: SimulatedClock;
  readonly broker: InMemoryBroker;
  readonly fleet: InMemoryFleetDatabase;
  readonly stations: readonly SimulatedStation[];
  readonly chips: ReadonlyMap<number, VirtualSe>;
  readonly parties: SimulatedParties;
  readonly log: ReturnType<typeof createMemoryLog>;
  /** Runs until every unit has left by a lane, or simulated time is up. */
  run(untilMs: number): Promise<void>;
  /** SHA-256 over all that happened: gate logs, journals, chips. */
  historyHash(): string;
}

/** 2026-01-01T00:00:00Z. */
const START_MS = 1_767_225_600_000;
const MOTION = { arriveMs: 800, clampMs: 150, gateMs: 120, leaveMs: 600 };
const PLANT = { enterprise: 'Simulation', site: 'Site', area: 'Area', line: 'Line-1' };
const DRAIN_MS = 5_000;

export async function createWorld(options: WorldOptions): Promise<World> {
  const entropy = createSimulatedEntropy(options.seed);
  const clock = createSimulatedClock(START_MS);
  const names = Array.from({ length: options.stations }, (_, i) => `station-${i + 1}`);
  const parties = createParties(entropy, names, START_MS);
  const broker = createInMemoryBroker({
    clock,
    entropy: createSimulatedEntropy(`${options.seed}/weather`),
    weather: options.weather ?? { lossRate: 0, duplicateRate: 0, delayMs: { min: 1, max: 4 } },
  });
  const fleet = createInMemoryFleetDatabase({ clock });
  const log = createMemoryLog();
  const connect = (clientId: string): Bus => {
    const bus = broker.connect({ clientId, clean: true, mayPublish: () => true, mayReceive: () => true });
    return {
      publish: (topic, payload, how) => {
        options.tap?.(topic, payload);
        return bus.publish(topic, payload, how);
      },
      subscribe: (filter, handler) => bus.subscribe(filter, handler),
      onLink: (handler) => bus.onLink(handler),
      close: () => bus.close(),
    };
  };
  const common = { clock, crypto: nodeCrypto, trusted: parties.trusted, log };

  const begun = <T>(starting: Promise<T>): Promise<T> => driven(clock, starting);
  await begun(
    createBackend(backendSettings(names), {
      ...common,
      entropy: createSimulatedEntropy(`${options.seed}/backend`),
      bus: connect('backend-1'),
      signer: parties.backendSigner,
      logSigner: parties.logSigner,
      store: fleet.connect(),
      controllers: names.map((station, i) => ({
        name: `gate-${i + 1}`,
        station,
        key: parties.tagKeys[i] ?? new Uint8Array(16),
      })),
    }),
  );
  await begun(
    createGateway(gatewaySettings(), {
      ...common,
      entropy: createSimulatedEntropy(`${options.seed}/gateway`),
      bus: connect('gateway-1'),
      token: createSimulatedToken({
        entropy: createSimulatedEntropy(`${options.seed}/token`),
        masters: { 'transport-master': parties.transportMaster, 'mdk-1': parties.fleetMaster },
        signingKeys: parties.gatewayKeys,
        monotonicMs: clock.monotonicMs,
      }),
      ledger: createInMemoryLedgerDatabase({ clock }).connect(),
      certificates: derCertificates,
      issuers: [{ name: ISSUER, key: `issuer-${ISSUER}`, certificate: parties.issuerCertificate }],
    }),
  );
  const ticket = await simulatedTicket(parties, { stations: names, quota: options.units, nowMs: START_MS });
  const chips = new Map<number, VirtualSe>();
  const stations: SimulatedStation[] = [];
  for (const [i, name] of names.entries())
    stations.push(
      await begun(
        createSimulatedStation({
          name,
          index: i,
          seed: options.seed,
          clock,
          parties,
          chips,
          ticket,
          common,
          bus: connect(name),
          wire: options.wire,
        }),
      ),
    );
  const share = Math.ceil(options.units / options.stations);
  for (const [i, station] of stations.entries())
    station.fixture.line.feed(Math.min(share, options.units - i * share), 1 + i * share);
  return {
    clock,
    broker,
    fleet,
    stations,
    chips,
    parties,
    log,
    run: async (untilMs) => {
      const left = (): number =>
        stations.flatMap((s) => s.gateLog).filter((line) => line.event === 'LEFT').length;
      while (left() < options.units && (await clock.runNext(untilMs)));
      const end = clock.monotonicMs() + DRAIN_MS;
      while (await clock.runNext(end));
    },
    historyHash: () => hashOf(stations, chips),
  };
}

/** Lets simulated time pass until `work` settles. @throws Error when nothing is left that could settle it */
async function driven<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  while (!settled)
    if (!(await clock.runNext()) && !settled)
      return Promise.race([done, Promise.reject(new Error('nothing left to happen'))]);
  return done;
}

interface StationParts {
  readonly name: string;
  readonly index: number;
  readonly seed: string;
  readonly clock: SimulatedClock;
  readonly parties: SimulatedParties;
  readonly chips: Map<number, VirtualSe>;
  readonly ticket: string;
  readonly common: Pick<Parameters<typeof createStation>[1], 'clock' | 'crypto' | 'trusted' | 'log'>;
  readonly bus: Bus;
  readonly wire: WorldOptions['wire'];
}

async function createSimulatedStation(parts: StationParts): Promise<SimulatedStation> {
  const { name, index, clock, parties } = parts;
  const entropy = createSimulatedEntropy(`${parts.seed}/${name}`);
  const tagKey = parties.tagKeys[index] ?? new Uint8Array(16);
  const gateLog: GateLogLine[] = [];
  let seated: VirtualSe | null = null;
  let memory: ControllerMemory = BLANK_MEMORY;
  const fixture = createFixture({
    clock,
    self: {
      controller: `gate-${index + 1}`,
      nest: 'a',
      cipher: (block) => nodeCrypto.aesEncryptBlock(tagKey, block),
    },
    memory: {
      load: () => memory,
      save: (next) => {
        memory = next;
      },
    },
    motion: MOTION,
    seat: async (unit) => {
      seated = parts.chips.get(unit) ?? tapped(makeChip(unit, parties, entropy), parts.wire);
      parts.chips.set(unit, seated);
    },
    openTimeoutMs: 5_000,
    hostTimeoutMs: 1_000,
    witness: (line) => gateLog.push(line),
  });
  const genesis = { journal: uuidV4(entropy.bytes(16)), station: name, created: instantOf(START_MS) };
  const disk = createJournalDisk(genesis);
  const journal = await openInMemoryJournal({ disk, clock, sha256: nodeCrypto.sha256, syncMs: 1 });
  const reader = createSimulatedReader({
    clock,
    card: () => seated,
  });
  const program = await createStation(stationSettings(name, index, parties), {
    ...parts.common,
    entropy,
    signer: parties.stationSigners[index] ?? parties.backendSigner,
    journal,
    bus: parts.bus,
    jig: createSimulatedJig({ clock, fixture }),
    reader: () => reader,
    failpoint: () => undefined,
    logKey: parties.logSigner.key,
    ticket: parts.ticket,
    genesis,
  });
  return { name, fixture, disk, program, gateLog };
}

/** The same card, with somebody listening on its contacts. */
function tapped(card: VirtualSe, wire: WorldOptions['wire']): VirtualSe {
  if (wire === undefined) return card;
  return {
    state: card.state,
    powerOn: () => card.powerOn(),
    powerOff: () => card.powerOff(),
    transmit: (command) => {
      const answer = card.transmit(command);
      wire(command, answer);
      return answer;
    },
  };
}

function makeChip(
  unit: number,
  parties: SimulatedParties,
  entropy: { bytes(count: number): Uint8Array },
): VirtualSe {
  return createVirtualSe({
    state: freshChip({
      eid: eidOfIndex(unit),
      index: unit,
      transportMaster: parties.transportMaster,
      transportKeyVersion: cardProfiles['holdfast-virtual'].transportKeyVersion,
    }),
    entropy,
  });
}

function hashOf(stations: readonly SimulatedStation[], chips: ReadonlyMap<number, VirtualSe>): string {
  const hash = createHash('sha256');
  for (const station of stations) {
    hash.update(JSON.stringify(station.gateLog));
    for (const [key, value] of [...station.disk.durable].sort(([a], [b]) => (a < b ? -1 : 1)))
      hash.update(key).update(value);
  }
  for (const [unit, chip] of [...chips].sort(([a], [b]) => a - b))
    hash.update(`${unit}${JSON.stringify(chip.state)}`);
  return hash.digest('hex');
}

const nowhere = {
  host: 'simulated',
  servername: 'simulated',
  ca: 'none',
  certificate: 'none',
  key: { file: 'none' },
};

function stationSettings(name: string, index: number, parties: SimulatedParties) {
  return stationConfig.parse({
    station: name,
    authority: 'unattended under authority of the simulation',
    plant: PLANT,
    nests: [{ name: 'a', reader: 'simulated', pins: simulatedNestPins }],
    controller: `gate-${index + 1}`,
    ticketFile: 'none',
    statusKey: 'simulation',
    journal: { directory: 'none', socket: 'none' },
    serialPort: 'none',
    bus: nowhere,
    token: { module: 'none', label: 'none', pinFile: 'none' },
    trusted: [],
    logKey: { name: parties.logSigner.key.name, publicKey: toHex(parties.logSigner.key.publicKey) },
  });
}

function gatewaySettings() {
  return gatewayConfig.parse({
    gateway: 'gateway-1',
    profile: 'laboratory',
    bus: nowhere,
    token: { module: 'none', label: 'none', pinFile: 'none', constantsFile: 'none' },
    ledgerUrl: 'postgres:simulated',
    issuers: [{ name: ISSUER, key: `issuer-${ISSUER}`, certificate: 'none' }],
    hardwareType: '1.3.6.1.4.1.32473.1.1',
    batchExtension: '1.3.6.1.4.1.32473.1.2',
    trusted: [],
  });
}

function backendSettings(stations: readonly string[]) {
  return backendConfig.parse({
    backend: 'backend-1',
    bus: nowhere,
    databaseUrl: 'postgres:simulated',
    receiptKeyFile: 'none',
    log: { origin: 'simulation', keyFile: 'none' },
    controllers: stations.map((station, i) => ({ name: `gate-${i + 1}`, station, keyFile: 'none' })),
    authorities: Object.fromEntries(stations.map((station) => [station, 'the simulation'])),
    trusted: [],
  });
}
