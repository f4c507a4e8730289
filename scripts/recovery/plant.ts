/** A station whose journal is on a real disk, in a plant that is otherwise simulated: what its start costs by itself. */
import { createInMemoryBroker } from '../../drivers/bus/in-memory.ts';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createFixture } from '../../drivers/jig/controller/fixture.ts';
import { BLANK_MEMORY } from '../../drivers/jig/controller/gate-controller.ts';
import { createSimulatedJig } from '../../drivers/jig/simulated.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import type { Genesis, NewEntry } from '../../runtime/core/journal/entry.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import type { Past } from '../../runtime/station/past.ts';
import { createStation } from '../../runtime/station/station.ts';
import { createParties, simulatedTicket } from '../simulation/parties.ts';
import { stationSettings } from '../simulation/settings.ts';
import { usualSupply } from '../simulation/supply.ts';
import { createWorld } from '../simulation/world.ts';

const NAME = 'station-1';
const SEED = 'recovery';
const DAY_MS = 86_400_000;
/** 2026-01-01T00:00:00Z: when the parties' keys were made. */
const START_MS = 1_767_225_600_000;

export const genesis: Genesis = {
  journal: '01890000-0000-4000-8000-00000000beef',
  station: NAME,
  created: '2026-01-01T00:00:00Z',
};

/** The facts of one unit that went through, with the receipts that were signed for it. */
export async function entriesOfUnit(): Promise<readonly NewEntry[]> {
  const world = await createWorld({ seed: SEED, units: 1, stations: 1 });
  await world.run(DAY_MS);
  const facts = world.stations[0]?.program.nests[0]?.view.facts ?? [];
  return facts.map((fact, i) => ({ fact, at: START_MS + i }));
}

/** Resolves when the station is at work. Nobody answers it, and no unit comes. */
export async function startStation(journal: Journal, past: Past): Promise<void> {
  const clock = openSystemClock();
  const parties = createParties(createSimulatedEntropy(SEED), [NAME], START_MS);
  const entropy = createSimulatedEntropy(`${SEED}/${NAME}`);
  const weather = { lossRate: 0, duplicateRate: 0, delayMs: { min: 0, max: 0 } };
  const broker = createInMemoryBroker({ clock, entropy, weather });
  const fixture = createFixture({
    clock,
    self: { controller: 'gate-1', nest: 'a', cipher: (block) => block },
    memory: { load: () => BLANK_MEMORY, save: () => undefined },
    motion: { arriveMs: 1, clampMs: 1, gateMs: 1, leaveMs: 1 },
    seat: async () => undefined,
    openTimeoutMs: 5_000,
    hostTimeoutMs: 1_000,
    witness: () => undefined,
  });
  const order = { stations: [NAME], quota: 1, nowMs: clock.now(), supply: usualSupply };
  await createStation(stationSettings({ name: NAME, index: 0, gate: 'controller' }, parties), {
    clock,
    entropy,
    crypto: nodeCrypto,
    trusted: parties.trusted,
    log: createMemoryLog(),
    signer: parties.stationSigners[0] ?? parties.backendSigner,
    journal,
    past,
    bus: broker.connect({ clientId: NAME, clean: true, mayPublish: () => true, mayReceive: () => true }),
    jig: createSimulatedJig({ clock, fixture }),
    reader: () => createSimulatedReader({ clock, card: () => null }),
    failpoint: () => undefined,
    logKey: parties.logSigner.key,
    ticket: await simulatedTicket(parties, order),
    genesis,
  });
}
