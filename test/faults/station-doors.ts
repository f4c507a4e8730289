/** Doors of the fixture: what its machine, its disk and its configuration can do to it. */

import { loadConfig } from '../../config/load.ts';
import { stationConfig } from '../../config/station.ts';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { SimulatedJig } from '../../drivers/jig/simulated.ts';
import { createJournalDisk, openInMemoryJournal } from '../../drivers/journal/in-memory.ts';
import { toText } from '../../runtime/core/bytes.ts';
import { Fault, type FaultCode } from '../../runtime/core/faults.ts';
import type { Jig } from '../../runtime/core/ports.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { genesis } from '../journal/samples.ts';
import { until } from '../simulation/by-hand.ts';
import { type Doors, elsewhere, firstFault, onJig, onLine, refusalOf } from './door.ts';

/** The unit does not move from the open gate. Its arrival ends with that, so the station's log alone says why. */
async function stuckAtTheGate(): Promise<Fault> {
  const world = await createWorld({ seed: 'stuck', units: 1, stations: 1 });
  for (const { fixture } of world.stations)
    fixture.onWitness(({ event }) => {
      if (event === 'OPENED') fixture.line.stick('unit', true);
    });
  const said = () => world.log.lines.find(({ event, level }) => event === 'fault' && level === 'warn');
  await until(world, () => said() !== undefined, 'the gate closes');
  const { code, reason = null } = said()?.fields ?? {};
  return new Fault(code as FaultCode, { reason: String(reason) });
}

/** A controller that says of itself that its gate is open, whatever it does. */
const neverShut = (jig: Jig): Partial<Jig> => ({
  report: async (nest) => ({ ...(await jig.report(nest)), gate: 'open' }),
  onEvent: (handler) =>
    jig.onEvent((event) =>
      handler(event.kind === 'report' ? { ...event, report: { ...event.report, gate: 'open' } } : event),
    ),
});

const clampStuck = ({ stations }: World): void => {
  for (const { fixture } of stations) fixture.line.stick('clamp', true);
};

/** A station that reckons wrong from the moment its last receipt is on its disk. */
async function reckonsWrong(): Promise<Fault> {
  let world: World | null = null;
  const registered = (): boolean =>
    [...(world?.stations[0]?.disk.durable.values() ?? [])].some((entry) =>
      toText(entry).includes('"registered"'),
    );
  const sha256 = (bytes: Uint8Array): Uint8Array => {
    const hash = Uint8Array.from(nodeCrypto.sha256(bytes));
    if (registered()) hash[0] = (hash[0] ?? 0) ^ 1;
    return hash;
  };
  const crypto = { ...nodeCrypto, sha256 };
  world = await createWorld({ seed: 'wrong', units: 1, stations: 1, crypto });
  return firstFault(world);
}

export const stationDoors: Doors = {
  CONFIG_INVALID: [
    'a setting is misspelled',
    elsewhere('doors/start.test', 'is closed to a configuration that is not JSON, in words'),
  ],
  USAGE: [
    'a command is misspelled',
    elsewhere('cli/usage.test', 'is told to people with cause and remedy, and never as a stack trace'),
  ],
  UNEXPECTED: [
    'more waits for the broker than ever should',
    elsewhere('bus/mqtt.test', 'bounds what waits for the broker'),
  ],
  FILE_UNREADABLE: [
    'the configuration is not there',
    () => refusalOf(() => loadConfig('no-such-file.json', stationConfig)),
  ],
  JOURNAL_LOCKED: [
    'a second program opens the journal',
    () =>
      refusalOf(async () => {
        const disk = createJournalDisk(genesis);
        const clock = createSimulatedClock(0);
        await openInMemoryJournal({ disk, clock, sha256: nodeCrypto.sha256, syncMs: 1 });
        await openInMemoryJournal({ disk, clock, sha256: nodeCrypto.sha256, syncMs: 1 });
      }),
  ],
  JOURNAL_MISSING: [
    'a part of the journal’s directory is not there',
    elsewhere('journal/leveldb.test', 'makes none where there is none'),
  ],
  JOURNAL_FOREIGN: [
    'the storage of another station is put into this one',
    elsewhere(
      'simulation/journal-trouble.test',
      'is refused at the start when it belongs to another station',
    ),
  ],
  JOURNAL_ROLLED_BACK: [
    'an older copy of the journal is put back',
    elsewhere(
      'simulation/journal-trouble.test',
      'holds every unit when an older copy of it was put back, and the fork gets no further',
    ),
  ],
  JOURNAL_AHEAD: [
    'the backend’s database was restored, and the station has given up what it now lacks',
    elsewhere(
      'simulation/retention.test',
      'waits for a backend that lost what it had acknowledged, and does not call its own journal wrong',
    ),
  ],
  JOURNAL_SPACE_LOW: [
    'the storage is nearly full',
    elsewhere(
      'simulation/journal-trouble.test',
      'takes no new unit, and the one that waits as soon as there is room',
    ),
  ],
  JOURNAL_DAMAGED: [
    'an entry is missing',
    elsewhere('contracts/journal.contract', 'does not open with an outbox marker missing'),
  ],
  JOURNAL_POISONED: [
    'a write fails',
    elsewhere('journal/in-memory.test', 'poisons the handle when an entry is damaged while it is open'),
  ],
  JOURNAL_FILESYSTEM: [
    'the journal lies on a file system in memory',
    elsewhere(
      'journal/leveldb.test',
      'is refused, or warned of at every open where the laboratory accepts it',
    ),
  ],
  JIG_LINK_LOST: [
    'the cable of the board is out while the clamp closes',
    onJig((jig) => ({
      clamp: (nest, position) => {
        (jig as SimulatedJig).loseLink(3_000);
        return jig.clamp(nest, position);
      },
    })),
  ],
  JIG_REFUSED: [
    'the controller has another name',
    elsewhere('jig/firmata-jig.test', 'refuses a controller of another name'),
  ],
  CLAMP_TIMEOUT: ['the clamp does not move', onLine({}, clampStuck)],
  GATE_REFUSED: [
    'the tag of the release is another',
    onJig((jig) => ({ open: (release) => jig.open({ ...release, tag: '00'.repeat(16) }) })),
  ],
  GATE_CLOSED: ['the unit is stuck at the open gate', stuckAtTheGate],
  GATE_PASSAGE_BLOCKED: [
    'the unit is stuck at its open gate',
    elsewhere(
      'simulation/stuck-unit.test',
      'is held after a bounded number of openings, is tried once after each hold, and leaves when it can',
    ),
  ],
  GATE_OPEN_LONG: ['the controller says that its gate is open, again and again', onJig(neverShut)],
  GATE_NOT_PERMITTED: ['the computer of the station reckons wrong after it has its receipts', reckonsWrong],
  TOKEN_UNAVAILABLE: [
    'module or token are missing',
    elsewhere('token/pkcs11.test', 'says TOKEN_UNAVAILABLE when module or token are missing'),
  ],
  TOKEN_PIN_WRONG: [
    'the PIN file is another’s',
    elsewhere('token/pkcs11.test', 'says TOKEN_PIN_WRONG to a wrong PIN'),
  ],
};
