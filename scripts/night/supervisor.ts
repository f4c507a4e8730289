/** Starts one program of the plant, and starts it again whenever it has ended, as a service manager does. */
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import type { SimulatedCrypto } from '../../drivers/crypto/simulated.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import { createSimulatedJig, type SimulatedJig } from '../../drivers/jig/simulated.ts';
import { openInMemoryJournal } from '../../drivers/journal/in-memory.ts';
import { createSimulatedToken, type SimulatedToken } from '../../drivers/token/simulated.ts';
import { createBackend } from '../../runtime/backend/backend.ts';
import { asFault, Fault } from '../../runtime/core/faults.ts';
import type { Release } from '../../runtime/core/gate/release.ts';
import { derCertificates } from '../../runtime/core/pki/tbs.ts';
import type { Bus } from '../../runtime/core/ports.ts';
import { createGateway } from '../../runtime/gateway/gateway.ts';
import { createStation, type Station } from '../../runtime/station/station.ts';
import { ISSUER } from '../simulation/parties.ts';
import { backendSettings, gatewaySettings, stationSettings } from '../simulation/settings.ts';
import { mastersOf, usualSupply } from '../simulation/supply.ts';
import { keepSaid } from './broker-mischief.ts';
import { createLife, type Death, type Life } from './life.ts';
import type { Place, Plant } from './plant.ts';
import {
  busOf,
  clockOf,
  headsOf,
  jigOf,
  journalOf,
  ledgerOf,
  marksOf,
  readerOf,
  signerOf,
  storeOf,
  tokenOf,
} from './ports.ts';
import { durableFacts } from './rules/rule.ts';

export interface Supervised {
  readonly name: string;
  /** Null while the program is down. */
  readonly life: Life | null;
  /** How often it was started. */
  readonly starts: number;
  /** The station's nests; null for other programs and while it is down. */
  readonly station: Station | null;
  readonly jig: SimulatedJig | null;
  /** The gateway's; null for other programs and while it is down. */
  readonly token: SimulatedToken | null;
  /** Codes of the faults that ended or prevented it. */
  readonly ends: readonly string[];
  kill(death: Death): void;
}

/** Entries that a station keeps: so few that a night's first unit is given up before the last. */
const KEPT = 8;
/** Between the end of a program by itself and its next start. */
const RESTART_MS = 2_000;
export const AT_ONCE: Death = { downMs: RESTART_MS, kept: false, power: false };

interface Standing {
  readonly plant: Plant;
  readonly name: string;
  readonly simulated: SimulatedCrypto | null;
  readonly ends: string[];
  life: Life | null;
  starts: number;
  station: Station | null;
  jig: SimulatedJig | null;
  token: SimulatedToken | null;
}

export function createSupervisor(plant: Plant, name: string, simulated: SimulatedCrypto | null): Supervised {
  const standing: Standing = {
    plant,
    name,
    simulated,
    ends: [],
    life: null,
    starts: 0,
    station: null,
    jig: null,
    token: null,
  };
  begin(standing);
  return {
    name,
    get life() {
      return standing.life;
    },
    get starts() {
      return standing.starts;
    },
    get station() {
      return standing.station;
    },
    get jig() {
      return standing.jig;
    },
    get token() {
      return standing.token;
    },
    ends: standing.ends,
    kill: (death) => standing.life?.end(death),
  };
}

function begin(standing: Standing): void {
  const { plant, name } = standing;
  const life = createLife(name, plant.options.watch);
  standing.life = life;
  standing.starts += 1;
  life.onEnd(({ downMs }) => {
    standing.life = null;
    standing.station = null;
    standing.jig = null;
    standing.token = null;
    plant.clock.after(downMs, () => begin(standing));
  });
  const failed = (error: unknown): void => {
    if (!life.alive) return;
    standing.ends.push(asFault(error, 'UNEXPECTED').code);
    if (standing.ends.at(-1) === 'UNEXPECTED')
      plant.log.write('error', 'fault', { name, error: String(error) });
    life.end(AT_ONCE);
  };
  const started =
    name === 'backend-1'
      ? startBackend(standing, life)
      : name === 'gateway-1'
        ? startGateway(standing, life)
        : startStation(standing, life);
  started.catch(failed);
}

/** A life's connection to the broker; it breaks when the life ends. */
function connected(plant: Plant, life: Life): Bus {
  const open = { clean: true, mayPublish: () => true, mayReceive: () => true };
  const bus = plant.broker.connect({ clientId: life.program, ...open });
  life.onEnd(() => plant.broker.cut(life.program));
  return busOf(life, {
    publish: (topic, payload, how) => {
      keepSaid(plant.said, topic, payload);
      for (const tap of plant.taps) tap(topic, payload, life.program);
      return bus.publish(topic, payload, how);
    },
    subscribe: (filter, handler) => bus.subscribe(filter, handler),
    onLink: (handler) => bus.onLink(handler),
    close: () => bus.close(),
  });
}

function commonOf({ plant, starts }: Standing, life: Life) {
  return {
    clock: clockOf(life, plant.clock, () => plant.skewMs.get(life.program) ?? 0),
    crypto: plant.crypto,
    trusted: plant.parties.trusted,
    log: plant.log,
    entropy: createSimulatedEntropy(`${plant.options.seed}/${life.program}/${starts}`),
    bus: connected(plant, life),
  };
}

async function startBackend(standing: Standing, life: Life): Promise<void> {
  const { plant } = standing;
  const { parties, places } = plant;
  const names = places.map(({ name }) => name);
  await createBackend(backendSettings(names, 'controller'), {
    ...commonOf(standing, life),
    signer: signerOf(life, parties.backendSigner),
    logSigner: parties.logSigner,
    instructions: createInMemoryInstructionDoor(),
    store: storeOf(life, plant.fleet.connect()),
    heads: headsOf(life, plant.heads),
    controllers: names.map((station, i) => ({
      name: `gate-${i + 1}`,
      station,
      key: parties.tagKeys[i] ?? new Uint8Array(16),
    })),
  });
}

async function startGateway(standing: Standing, life: Life): Promise<void> {
  const { plant, starts, simulated } = standing;
  const { parties } = plant;
  const token = createSimulatedToken({
    entropy: createSimulatedEntropy(`${plant.options.seed}/token/${starts}`),
    masters: mastersOf(parties, usualSupply),
    signingKeys: parties.gatewayKeys,
    monotonicMs: plant.clock.monotonicMs,
    ...(simulated === null ? {} : { signature: simulated.sign }),
  });
  standing.token = token;
  await createGateway(gatewaySettings(usualSupply), {
    ...commonOf(standing, life),
    token: tokenOf(life, token),
    instructions: createInMemoryInstructionDoor(),
    ledger: ledgerOf(life, plant.ledger.connect()),
    marks: marksOf(life, plant.marks),
    certificates: derCertificates,
    issuers: [{ name: ISSUER, key: `issuer-${ISSUER}`, certificate: parties.issuerCertificate }],
  });
}

async function startStation(standing: Standing, life: Life): Promise<void> {
  const { plant, name, starts } = standing;
  const { clock, parties } = plant;
  const place = plant.places.find((one) => one.name === name);
  if (place === undefined) throw new RangeError(`there is no place for ${name}`);
  const { disk, fixture, index } = place;
  if (disk === null) throw new Fault('JOURNAL_MISSING', { simulated: true });
  const journal = await openInMemoryJournal({
    disk,
    clock,
    sha256: plant.crypto.sha256,
    syncMs: 1,
    hasRoom: () => place.hasRoom,
  });
  const reader = createSimulatedReader({
    clock,
    card: () => (place.readerAway ? null : place.seated()),
    misbehave: misbehaviour(
      place,
      life,
      createSimulatedEntropy(`${plant.options.seed}/${name}/reader/${starts}`),
    ),
  });
  const jig = createSimulatedJig({ clock, fixture });
  life.onEnd(({ kept, power }) => {
    journal.crash({ kept });
    void jig.close();
    void reader.close();
    if (power) fixture.line.clampValve(false);
    if (power) fixture.reset();
  });
  standing.jig = jig;
  const asked = {
    ...jig,
    open: (release: Release) => {
      place.releases.push(release);
      return place.onOpen()
        ? Promise.reject(new Fault('JIG_LINK_LOST', { reason: 'simulated' }))
        : jig.open(release);
    },
  };
  const guarded = readerOf(life, reader);
  const seen = {
    ...journal,
    get cut() {
      return journal.cut;
    },
    giveUp: (sequence: number) => {
      durableFacts(disk); // The rules ask for facts of entries that have gone.
      return journal.giveUp(sequence);
    },
  };
  const settings = stationSettings({ name, index, gate: 'controller', keepEntries: KEPT }, parties);
  const station = await createStation(settings, {
    ...commonOf(standing, life),
    signer: signerOf(life, parties.stationSigners[index] ?? parties.backendSigner),
    journal: journalOf(life, seen),
    jig: jigOf(life, asked),
    reader: () => guarded,
    failpoint: () => undefined,
    logKey: parties.logSigner.key,
    ticket: plant.ticket,
    genesis: disk.genesis,
  });
  if (!life.alive) return;
  standing.station = station;
  await station.ended;
  life.end(AT_ONCE);
}

/** A bad contact, and the moment between two commands of a list. */
function misbehaviour(place: Place, life: Life, entropy: { chance(probability: number): boolean }) {
  return () => {
    const out = life.cross('card.transmit', 'before');
    if (out !== 'go' || entropy.chance(place.readerLoss)) return 'lose-command' as const;
    const back = life.cross('card.transmit', 'after');
    if (back !== 'go' || entropy.chance(place.readerLoss)) return 'lose-answer' as const;
    return null;
  };
}
