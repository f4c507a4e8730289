/**
 * A whole plant in one process and in simulated time: the production modules of station, gateway and backend
 * on simulated ports. The same seed gives the same history, byte for byte.
 */
import { createInMemoryBroker, type InMemoryBroker } from '../../drivers/bus/in-memory.ts';
import type { VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { createSimulatedClock, type SimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedCrypto, type SimulatedCrypto } from '../../drivers/crypto/simulated.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryFleetDatabase, type InMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import {
  createInMemoryLedgerDatabase,
  type InMemoryLedgerDatabase,
} from '../../drivers/store/in-memory-ledger.ts';
import { createInMemoryMark } from '../../drivers/store/in-memory-mark.ts';
import { createSimulatedToken } from '../../drivers/token/simulated.ts';
import { createBackend } from '../../runtime/backend/backend.ts';
import { derCertificates } from '../../runtime/core/pki/tbs.ts';
import type { Bus } from '../../runtime/core/ports.ts';
import { createGateway } from '../../runtime/gateway/gateway.ts';
import { driven } from './driven.ts';
import { historyHashOf } from './history.ts';
import { createParties, ISSUER, type SimulatedParties, simulatedTicket } from './parties.ts';
import { backendSettings, gatewaySettings } from './settings.ts';
import { createSimulatedStation, type SimulatedStation, type StationParts } from './station.ts';
import { mastersOf, type Supply, usualSupply } from './supply.ts';
import type { WorldDoors, WorldOptions } from './world-options.ts';

export interface World {
  readonly clock: SimulatedClock;
  readonly broker: InMemoryBroker;
  readonly fleet: InMemoryFleetDatabase;
  readonly ledger: InMemoryLedgerDatabase;
  readonly stations: readonly SimulatedStation[];
  readonly chips: ReadonlyMap<number, VirtualSe>;
  readonly parties: SimulatedParties;
  readonly instructions: WorldDoors;
  readonly log: ReturnType<typeof createMemoryLog>;
  /** Runs until every unit has left by a lane, or simulated time is up. */
  run(untilMs: number): Promise<void>;
  /** SHA-256 over all that happened: gate logs, journals, chips. */
  historyHash(): string;
}

/** 2026-01-01T00:00:00Z. */
const START_MS = 1_767_225_600_000;
const DRAIN_MS = 5_000;

export async function createWorld(options: WorldOptions): Promise<World> {
  const entropy = createSimulatedEntropy(options.keysFrom ?? options.seed);
  const clock = createSimulatedClock(START_MS);
  const names = Array.from({ length: options.stations }, (_, i) => `station-${i + 1}`);
  const cheap = options.cheap === true ? createSimulatedCrypto() : null;
  const parties = createParties(entropy, names, START_MS, cheap?.signer);
  const broker = createInMemoryBroker({
    clock,
    entropy: createSimulatedEntropy(`${options.seed}/weather`),
    weather: options.weather ?? { lossRate: 0, duplicateRate: 0, delayMs: { min: 1, max: 4 } },
  });
  const fleet = createInMemoryFleetDatabase({ clock });
  const ledger = createInMemoryLedgerDatabase({ clock });
  const log = createMemoryLog();
  const connect = (clientId: string): Bus => connected(broker, clientId, options, clock);
  const trusted = [
    ...parties.trusted.filter(({ role, name }) => role !== 'station' || !options.newcomers?.includes(name)),
    ...(options.revokers?.keys ?? []),
    ...(options.revocation?.officers ?? []),
  ];
  const common = { clock, crypto: options.crypto ?? cheap ?? nodeCrypto, trusted, log };
  const door = createInMemoryInstructionDoor;
  const instructions: WorldDoors = { gateway: door(), backend: door(), station: door() };
  const supply = { ...usualSupply, ...options.supply };
  const chips = new Map<number, VirtualSe>();
  const plant = {
    options,
    supply,
    clock,
    parties,
    names,
    fleet,
    ledger,
    common,
    connect,
    instructions,
    cheap,
  };
  await startPrograms(plant);
  const quota = options.quota ?? options.units;
  const order = { stations: names, quota, nowMs: START_MS, supply, changes: options.order ?? {} };
  const ticket = await simulatedTicket(parties, order);
  const stations = await startStations(plant, ticket, chips);
  const share = Math.ceil(options.units / options.stations);
  for (const [i, station] of stations.entries())
    station.fixture.line.feed(Math.min(share, options.units - i * share), 1 + i * share);
  return {
    clock,
    broker,
    fleet,
    ledger,
    stations,
    chips,
    parties,
    instructions,
    log,
    run: async (untilMs) => {
      const left = (): number =>
        stations.flatMap((s) => s.gateLog).filter((line) => line.event === 'LEFT').length;
      while (left() < options.units && (await clock.runNext(untilMs)));
      const end = clock.monotonicMs() + DRAIN_MS;
      while (await clock.runNext(end));
    },
    historyHash: () => historyHashOf(stations, chips),
  };
}

interface Plant {
  readonly options: WorldOptions;
  readonly supply: Supply;
  readonly clock: SimulatedClock;
  readonly parties: SimulatedParties;
  readonly names: readonly string[];
  readonly fleet: InMemoryFleetDatabase;
  readonly ledger: InMemoryLedgerDatabase;
  readonly common: StationParts['common'];
  readonly connect: (clientId: string) => Bus;
  readonly instructions: WorldDoors;
  readonly cheap: SimulatedCrypto | null;
}

/** Backend and gateways, in this order: the stations ask both. */
async function startPrograms(plant: Plant): Promise<void> {
  const { options, clock, parties, names, fleet, common, connect, instructions } = plant;
  const gate = options.gates?.backend ?? 'controller';
  await driven(
    clock,
    createBackend(
      {
        ...backendSettings(names, gate, options.revocation),
        stationQuorum: options.revokers?.quorum ?? null,
        operatorQuorum: options.revokers?.quorum ?? null,
        ...(options.shiftHours === undefined ? {} : { shiftHours: options.shiftHours }),
      },
      {
        ...common,
        entropy: createSimulatedEntropy(`${options.seed}/backend`),
        bus: connect('backend-1'),
        signer: parties.backendSigner,
        logSigner: parties.logSigner,
        store: fleet.connect(),
        instructions: instructions.backend,
        heads: createInMemoryHead(),
        controllers: names.map((station, i) => ({
          name: `gate-${i + 1}`,
          station,
          key: gate === 'controller' ? (parties.tagKeys[i] ?? new Uint8Array(16)) : null,
        })),
      },
    ),
  );
  for (let i = 1; i <= (options.gateways ?? 1); i++) await startGateway(plant, i);
}

async function startGateway(
  { options, supply, clock, parties, ledger, common, connect, instructions, cheap }: Plant,
  number: number,
): Promise<void> {
  const name = `gateway-${number}`;
  // The names of the first one's draws are older than the second gateway.
  const own = number === 1 ? '' : `-${number}`;
  await driven(
    clock,
    createGateway(gatewaySettings(supply, name, options.revocation), {
      ...common,
      entropy: createSimulatedEntropy(`${options.seed}/gateway${own}`),
      bus: connect(name),
      token: createSimulatedToken({
        entropy: createSimulatedEntropy(`${options.seed}/token${own}`),
        masters: mastersOf(parties, supply),
        signingKeys: parties.gatewayKeys,
        monotonicMs: clock.monotonicMs,
        ...(cheap === null ? {} : { signature: cheap.sign }),
      }),
      marks: createInMemoryMark(),
      instructions: number === 1 ? instructions.gateway : createInMemoryInstructionDoor(),
      ...(options.revocation === undefined ? {} : { publisher: options.revocation.publisher }),
      ledger: ledger.connect(),
      certificates: derCertificates,
      issuers: [{ name: ISSUER, key: `issuer-${ISSUER}`, certificate: parties.issuerCertificate }],
    }),
  );
}

async function startStations(
  { options, supply, clock, parties, names, common, connect, instructions }: Plant,
  ticket: string,
  chips: Map<number, VirtualSe>,
): Promise<readonly SimulatedStation[]> {
  const stations: SimulatedStation[] = [];
  for (const [i, name] of names.entries()) {
    const station = createSimulatedStation({
      name,
      index: i,
      seed: options.seed,
      clock,
      parties,
      chips,
      ticket,
      common,
      bus: connect(name),
      instructions: i === 0 ? instructions.station : createInMemoryInstructionDoor(),
      wire: options.wire,
      betweenJig: options.betweenJig,
      betweenReader: options.betweenReader,
      gate: options.gates?.stations ?? 'controller',
      ...(options.keepEntries === undefined ? {} : { keepEntries: options.keepEntries }),
      startMs: START_MS,
      manners: options.manners ?? {},
      forged: options.forged ?? {},
      supply,
    });
    stations.push(await driven(clock, station));
  }
  return stations;
}

/** A party's connection, with somebody listening to what it publishes, or standing in between. */
function connected(
  broker: InMemoryBroker,
  clientId: string,
  { tap, betweenBus }: WorldOptions,
  clock: SimulatedClock,
): Bus {
  const bus = broker.connect({ clientId, clean: true, mayPublish: () => true, mayReceive: () => true });
  const tapped: Bus = {
    publish: (topic, payload, how) => {
      tap?.(topic, payload);
      return bus.publish(topic, payload, how);
    },
    subscribe: (filter, handler) => bus.subscribe(filter, handler),
    onLink: (handler) => bus.onLink(handler),
    close: () => bus.close(),
  };
  return betweenBus?.(tapped, clientId, clock) ?? tapped;
}
