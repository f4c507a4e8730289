/**
 * A plant whose programs die and come back: the production modules of station, gateway and backend on simulated
 * ports, each started by a supervisor that never gives up. Machines, disks, chips and databases outlive them.
 */
import { createInMemoryBroker, type InMemoryBroker, type Weather } from '../../drivers/bus/in-memory.ts';
import type { createVirtualSe, VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import type { MannerChoice } from '../../drivers/card-reader/virtual-se/chip.ts';
import { createSimulatedClock, type SimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedCrypto, type SimulatedCrypto } from '../../drivers/crypto/simulated.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import type { JournalDisk } from '../../drivers/journal/in-memory.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryFleetDatabase, type InMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { type Fates, kindFates, type Odds, seededFates } from '../../drivers/store/in-memory-fate.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import {
  createInMemoryLedgerDatabase,
  type InMemoryLedgerDatabase,
} from '../../drivers/store/in-memory-ledger.ts';
import { createInMemoryMark } from '../../drivers/store/in-memory-mark.ts';
import type { Release } from '../../runtime/core/gate/release.ts';
import type { Crypto } from '../../runtime/core/ports.ts';
import type { HeadMemory } from '../../runtime/core/store/head.ts';
import type { MarkMemory } from '../../runtime/core/store/mark.ts';
import { createParties, type SimulatedParties, simulatedTicket } from '../simulation/parties.ts';
import { createPlace, makeChip, type PlaceParts, type SimulatedPlace } from '../simulation/station.ts';
import { usualSupply } from '../simulation/supply.ts';
import type { Said } from './broker-mischief.ts';
import type { Watch } from './life.ts';
import { createSupervisor, type Supervised } from './supervisor.ts';

export interface PlantOptions {
  readonly seed: string;
  readonly stations: number;
  readonly units: number;
  readonly weather: Weather;
  readonly fates: Odds;
  readonly manners: Readonly<Record<number, MannerChoice>>;
  /** ECDSA as on a line; else the cryptography of long simulations. */
  readonly realCrypto: boolean;
  readonly watch: Watch;
}

/** The machine of one station, with what may be wrong about it. */
export interface Place extends Omit<SimulatedPlace, 'disk'> {
  readonly index: number;
  /** May be exchanged while the program is down; null for storage without a journal. */
  disk: JournalDisk | null;
  /** Every journal that this station ever wrote to. */
  readonly ownDisks: JournalDisk[];
  /** Whether the storage has room for another unit. */
  hasRoom: boolean;
  /** The unit in the nest is not under the contacts. */
  readerAway: boolean;
  /** Part of the commands that are lost, and of the answers. */
  readerLoss: number;
  /** What the gate controller was ever asked. */
  readonly releases: Release[];
  /** Called before the controller hears of it; true when it never does. */
  onOpen: () => boolean;
}

/** Told of what nobody inside the plant sees whole. */
export interface Witness {
  /** A chip's memory is about to change, or has not. */
  readonly onCommand: (about: {
    readonly unit: number;
    readonly place: Place | null;
    readonly chip: VirtualSe;
    readonly changed: boolean;
  }) => void;
}

export interface Plant {
  readonly options: PlantOptions;
  readonly clock: SimulatedClock;
  readonly broker: InMemoryBroker;
  readonly fleet: InMemoryFleetDatabase;
  readonly ledger: InMemoryLedgerDatabase;
  /** The backend's file beside its database. */
  readonly heads: HeadMemory;
  /** The gateway's, beside its ledger. */
  readonly marks: MarkMemory;
  readonly parties: SimulatedParties;
  readonly crypto: Crypto;
  readonly places: readonly Place[];
  readonly chips: ReadonlyMap<number, VirtualSe>;
  readonly log: ReturnType<typeof createMemoryLog>;
  readonly ticket: string;
  /** By their names: `station-1`, `gateway-1`, `backend-1`. */
  readonly programs: ReadonlyMap<string, Supervised>;
  readonly witnesses: Witness[];
  /** Bytes that were published, as they were. */
  readonly taps: ((topic: string, payload: Uint8Array, from: string) => void)[];
  /** How wrong the wall clock of a program is. */
  readonly skewMs: Map<string, number>;
  /** The last messages of anybody. */
  readonly said: Said[];
  /** The ledger lacks what it will have again. */
  ledgerRolledBack: boolean;
  /** The fleet's database lacks what it will have again. */
  rolledBack: boolean;
  /** It was restored from a backup at some time: what is in no leaf may be gone for good. */
  restored: boolean;
  /** Ends all bad luck: from here on only what is true already can go wrong. */
  calm(): void;
}

/** 2026-01-01T00:00:00Z. */
export const START_MS = 1_767_225_600_000;

/** A unit more for each station: the line goes on. */
export const quotaOf = ({ units, stations }: { readonly units: number; readonly stations: number }): number =>
  units + stations;

/** Builds the plant and starts its programs, the backend first. */
export async function createPlant(options: PlantOptions): Promise<Plant> {
  const { seed } = options;
  const clock = createSimulatedClock(START_MS);
  const simulated: SimulatedCrypto | null = options.realCrypto ? null : createSimulatedCrypto();
  const names = Array.from({ length: options.stations }, (_, i) => `station-${i + 1}`);
  const parties = createParties(createSimulatedEntropy(seed), names, START_MS, simulated?.signer);
  const chips = new Map<number, VirtualSe>();
  const witnesses: Witness[] = [];
  const places: Place[] = [];
  const supply = usualSupply;
  for (const [index, name] of names.entries())
    places.push(
      placeOf(name, index, { clock, parties, seed }, (unit, entropy) => {
        const chip = chips.get(unit) ?? makeChip(unit, { ...options, parties, supply, forged: {} }, entropy);
        chips.set(unit, chip);
        return seenOn(chip, unit, () => places[index] ?? null, witnesses);
      }),
    );
  let calm = false;
  const fatesOf = (store: string): Fates => {
    const rough = seededFates(createSimulatedEntropy(`${seed}/${store}`), options.fates);
    return () => (calm ? kindFates() : rough());
  };
  const plant: Plant = {
    options,
    clock,
    broker: createInMemoryBroker({
      clock,
      entropy: createSimulatedEntropy(`${seed}/weather`),
      weather: options.weather,
    }),
    fleet: createInMemoryFleetDatabase({
      clock,
      fates: fatesOf('fleet'),
    }),
    ledger: createInMemoryLedgerDatabase({
      clock,
      fates: fatesOf('ledger'),
    }),
    heads: createInMemoryHead(),
    marks: createInMemoryMark(),
    parties,
    crypto: simulated ?? nodeCrypto,
    places,
    chips,
    log: createMemoryLog(2_000),
    ticket: await simulatedTicket(parties, {
      stations: names,
      quota: quotaOf(options),
      nowMs: START_MS,
      supply,
    }),
    programs: new Map(),
    witnesses,
    taps: [],
    skewMs: new Map(),
    said: [],
    ledgerRolledBack: false,
    rolledBack: false,
    restored: false,
    calm: () => {
      calm = true;
      plant.broker.setWeather({ lossRate: 0, duplicateRate: 0, delayMs: { min: 1, max: 4 } });
    },
  };
  const programs = plant.programs as Map<string, Supervised>;
  for (const name of ['backend-1', 'gateway-1', ...names])
    programs.set(name, createSupervisor(plant, name, simulated));
  return plant;
}

/** A machine with its own storage, and nothing wrong about it. */
function placeOf(
  name: string,
  index: number,
  of: Pick<PlaceParts, 'clock' | 'parties'> & { readonly seed: string },
  chip: PlaceParts['chip'],
): Place {
  const entropy = createSimulatedEntropy(`${of.seed}/${name}/place`);
  const made = createPlace({ ...of, name, index, gate: 'controller', startMs: START_MS, entropy, chip });
  return {
    ...made,
    index,
    ownDisks: [made.disk],
    hasRoom: true,
    readerAway: false,
    readerLoss: 0,
    releases: [],
    onOpen: () => false,
  };
}

/** The same chip on the contacts of one place: tells what each command does to its memory. */
function seenOn(
  chip: VirtualSe,
  unit: number,
  place: () => Place | null,
  witnesses: readonly Witness[],
): VirtualSe {
  return {
    state: chip.state,
    powerOn: () => chip.powerOn(),
    powerOff: () => chip.powerOff(),
    transmit: (command) => {
      const before = memoryOf(chip);
      const answer = chip.transmit(command);
      const changed = memoryOf(chip) !== before;
      for (const { onCommand } of witnesses) onCommand({ unit, place: place(), chip, changed });
      return answer;
    },
  };
}

/** What a chip has that cannot be undone; its counters are not of that kind. */
function memoryOf({ state }: ReturnType<typeof createVirtualSe>): string {
  const sets = state.keySets.map(({ keyVersion, mac }) => `${keyVersion}${mac}`).join();
  const objects = Object.entries(state.objects).map(
    ([tag, value]) => `${tag}${value.length}${value.slice(-16)}`,
  );
  return `${sets} ${state.lifeCycle} ${Object.values(state.pairs).join()} ${objects.join()}`;
}
