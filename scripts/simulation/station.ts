/** One simulated station: the production program on a simulated fixture, with chips, journal and reader. */
import { createVirtualSe, type VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { type ChipState, freshChip, type MannerChoice } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import type { SimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createFixture, type Fixture, type GateLogLine } from '../../drivers/jig/controller/fixture.ts';
import { BLANK_MEMORY, type ControllerMemory } from '../../drivers/jig/controller/gate-controller.ts';
import { createSimulatedJig } from '../../drivers/jig/simulated.ts';
import { createJournalDisk, type JournalDisk, openInMemoryJournal } from '../../drivers/journal/in-memory.ts';
import type { GateKind } from '../../runtime/core/gate/release.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import type { Bus, CardReader, Entropy, InstructionDoor, Jig } from '../../runtime/core/ports.ts';
import { uuidV4 } from '../../runtime/core/uuid.ts';
import { createStation, type Station } from '../../runtime/station/station.ts';
import type { SimulatedParties } from './parties.ts';
import { stationSettings } from './settings.ts';
import { chipKeysOf, type Supply } from './supply.ts';

/** What stays when the station's program ends: the machine, its disk, and who watches the gate. */
export interface SimulatedPlace {
  readonly name: string;
  readonly fixture: Fixture;
  readonly disk: JournalDisk;
  readonly gateLog: GateLogLine[];
  /** The chip under the reader; null while the nest is empty. */
  readonly seated: () => VirtualSe | null;
}

export interface SimulatedStation extends SimulatedPlace {
  readonly program: Station;
}

export type Wiretap = (command: Uint8Array, answer: Uint8Array) => void;

const MOTION = { arriveMs: 800, clampMs: 150, gateMs: 120, leaveMs: 600 };

export interface PlaceParts {
  readonly name: string;
  readonly index: number;
  readonly clock: SimulatedClock;
  readonly parties: SimulatedParties;
  readonly entropy: Entropy;
  /** `plain-firmata`: the station's driver plays the controller, which has no key then. */
  readonly gate: GateKind;
  readonly startMs: number;
  /** The chip of a unit, the same whenever it is asked for. */
  readonly chip: (unit: number, entropy: Entropy) => VirtualSe;
}

export interface StationParts extends Omit<PlaceParts, 'chip' | 'entropy'> {
  readonly keepEntries?: number;
  readonly seed: string;
  readonly chips: Map<number, VirtualSe>;
  readonly ticket: string;
  readonly common: Pick<Parameters<typeof createStation>[1], 'clock' | 'crypto' | 'trusted' | 'log'>;
  readonly bus: Bus;
  readonly instructions: InstructionDoor;
  /** Sees every command and answer on the wire of a chip. */
  readonly wire: Wiretap | undefined;
  readonly betweenJig: ((jig: Jig, clock: SimulatedClock) => Jig) | undefined;
  readonly betweenReader: ((reader: CardReader) => CardReader) | undefined;
  /** Of the units whose chips are not honest or not usual. */
  readonly manners: Readonly<Record<number, MannerChoice>>;
  /** What some units' chips are instead of what their maker makes: copies, exchanged labels. */
  readonly forged: Readonly<Record<number, (fresh: ChipState) => ChipState>>;
  readonly supply: Supply;
}

export async function createSimulatedStation(parts: StationParts): Promise<SimulatedStation> {
  const { name, clock, parties, index } = parts;
  const entropy = createSimulatedEntropy(`${parts.seed}/${name}`);
  const place = createPlace({
    ...parts,
    entropy,
    chip: (unit) => {
      const chip = parts.chips.get(unit) ?? tapped(makeChip(unit, parts, entropy), parts.wire);
      parts.chips.set(unit, chip);
      return chip;
    },
  });
  const { disk, fixture } = place;
  const journal = await openInMemoryJournal({ disk, clock, sha256: nodeCrypto.sha256, syncMs: 1 });
  const simulated = createSimulatedReader({ clock, card: place.seated });
  const reader = parts.betweenReader?.(simulated) ?? simulated;
  const jig = createSimulatedJig({ clock, fixture });
  const program = await createStation(stationSettings(parts, parties), {
    ...parts.common,
    entropy,
    signer: parties.stationSigners[index] ?? parties.backendSigner,
    journal,
    bus: parts.bus,
    instructions: parts.instructions,
    jig: parts.betweenJig?.(jig, clock) ?? jig,
    reader: () => reader,
    failpoint: () => undefined,
    logKey: parties.logSigner.key,
    ticket: parts.ticket,
    genesis: disk.genesis,
  });
  return { ...place, program };
}

export function createPlace(parts: PlaceParts): SimulatedPlace {
  const { name, index, clock, parties, gate, entropy } = parts;
  const tagKey = parties.tagKeys[index] ?? new Uint8Array(16);
  const gateLog: GateLogLine[] = [];
  let seated: VirtualSe | null = null;
  let memory: ControllerMemory = BLANK_MEMORY;
  const fixture = createFixture({
    clock,
    self: {
      controller: `gate-${index + 1}`,
      nest: 'a',
      cipher: gate === 'controller' ? (block) => nodeCrypto.aesEncryptBlock(tagKey, block) : null,
    },
    memory: {
      load: () => memory,
      save: (next) => {
        memory = next;
      },
    },
    motion: MOTION,
    seat: async (unit) => {
      seated = parts.chip(unit, entropy);
    },
    openTimeoutMs: 5_000,
    hostTimeoutMs: 1_000,
    witness: (line) => gateLog.push(line),
  });
  const genesis = { journal: uuidV4(entropy.bytes(16)), station: name, created: instantOf(parts.startMs) };
  return {
    name,
    fixture,
    disk: createJournalDisk(genesis),
    gateLog,
    seated: () => (fixture.line.unit() === null ? null : seated),
  };
}

/** The same card, with somebody listening on its contacts. */
function tapped(card: VirtualSe, wire: Wiretap | undefined): VirtualSe {
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

/** A chip as its maker makes it, in its manner. */
export function makeChip(
  unit: number,
  parts: Pick<StationParts, 'manners' | 'parties' | 'supply' | 'forged'>,
  entropy: Entropy,
): VirtualSe {
  const manner = parts.manners[unit];
  const { parties, supply } = parts;
  const fresh = freshChip({
    eid: eidOfIndex(unit),
    index: unit,
    ...chipKeysOf(parties, supply),
    ...(supply.transportSet === null ? {} : { transportSet: supply.transportSet }),
    ...(manner === undefined ? {} : { manner }),
  });
  return createVirtualSe({ state: parts.forged[unit]?.(fresh) ?? fresh, entropy });
}
