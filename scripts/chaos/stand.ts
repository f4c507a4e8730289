/** The whole line under a supervisor: Debian's services, our programs, board and chips, each brought back when it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { accessList } from '../../runtime/core/messages/catalogue.ts';
import {
  type Configurations,
  instructionSocketsIn,
  writeConfigurations,
} from '../laboratory/configurations.ts';
import {
  boardMemoryOf,
  boardSocketOf,
  chipSocketOf,
  type FixtureOptions,
  startBoard,
  startChips,
} from '../laboratory/fixture-world.ts';
import { type JsonSocket, openJsonSocket } from '../laboratory/json-socket.ts';
import { type Laboratory, PLANT, setUpLaboratory, writeTicket } from '../laboratory/laboratory.ts';
import { ourProgram, stationProgram } from '../laboratory/line.ts';
import type { LinePlaces, StationPlaces } from '../laboratory/places.ts';
import type { Program } from '../laboratory/programs.ts';
import { BACKEND_ROLE, partiesOf, prepareFleet } from '../laboratory/services.ts';
import { startMosquitto } from '../stand/mosquitto.ts';
import { startPcscd } from '../stand/pcscd.ts';
import { socketDirectory } from '../stand/places.ts';
import { startPostgres } from '../stand/postgres.ts';
import { startPtyPair } from '../stand/pty-pair.ts';
import { type Disk, openDisk } from './disk.ts';
import { createInfeed, type Infeed } from './infeed.ts';
import { brokerHost, openNetwork } from './network.ts';
import { ended, processesIn, signal, until } from './processes.ts';
import { type Incarnation, type Part, supervise } from './supervisor.ts';

export const partNames = [
  'postgres',
  'mosquitto',
  'pcscd',
  'pty',
  'chips',
  'board',
  'backend',
  'gateway',
  'station',
] as const;
export type PartName = (typeof partNames)[number];

export interface ChaosStand {
  readonly places: LinePlaces;
  readonly station: StationPlaces;
  readonly laboratory: Laboratory;
  readonly parts: Readonly<Record<PartName, Part>>;
  readonly infeed: Infeed;
  /** Takes cards out of their reader and puts them back. */
  readonly chips: JsonSocket;
  readonly journalDisk: Disk;
  readonly databaseDisk: Disk;
  /** Added to the station's environment from its next start on. */
  readonly stationEnvironment: Record<string, string>;
  sql(database: 'fleet' | 'ledger'): readonly string[];
  stop(): Promise<void>;
}

const JOURNAL_MEGABYTES = 48;
const DATABASE_MEGABYTES = 700;
const ORPHAN_DEADLINE_MS = 10_000;
const DATABASES = ['fleet', 'ledger'];
const DATABASE_USER = 'holdfast';

/** @param quota units that the ticket of the run allows
 * @throws Error where the machine lacks a component, or what namespaces, loop devices and nft need */
export async function startStand(places: LinePlaces, seed: string, quota: number): Promise<ChaosStand> {
  const parts = {} as Record<PartName, Part>;
  const ends: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  const keep = async (name: PartName, start: () => Promise<Incarnation>): Promise<void> => {
    const part = await supervise(name, start);
    parts[name] = part;
    ends.push(part.retire);
  };
  const disk = (name: string, directory: string, megabytes: number): Disk => {
    const opened = openDisk(join(places.root, `${name}.img`), directory, megabytes);
    ends.push(async () => opened.unmount());
    return opened;
  };
  try {
    openNetwork();
    const station = places.station(1);
    const journalDisk = disk('journal', station.journal, JOURNAL_MEGABYTES);
    const databaseDisk = disk('postgres', places.postgres, DATABASE_MEGABYTES);
    const laboratory = await setUpLaboratory(places, 1);
    await writeTicket(places, [station], { run: 1, units: quota, nowMs: Date.now() });
    const { fixture, configurations } = await startServices(places, laboratory, keep, ends, seed);
    await keep('backend', async () =>
      asIncarnation(await ourProgram(places, 'backend', configurations.backend)),
    );
    await keep('gateway', async () =>
      asIncarnation(await ourProgram(places, 'gateway', configurations.gateway)),
    );
    await keep('chips', async () => asIncarnation(await startChips(fixture)));
    const chips = await openJsonSocket(chipSocketOf(fixture));
    const infeed = createInfeed({ gateLog: station.gateLog, memory: boardMemoryOf(fixture) });
    await keep('board', () => startBoardAt(fixture, infeed));
    const stationEnvironment: Record<string, string> = {};
    const [own] = laboratory.stations;
    const [config] = configurations.stations;
    if (own === undefined || config === undefined) throw new RangeError('a line without a station');
    await keep('station', async () =>
      asIncarnation(await stationProgram(places, own, config, stationEnvironment)),
    );
    const login = ['-h', places.postgres, '-p', '5432', '-U', DATABASE_USER, '-At', '-d'];
    const sql = (database: string): readonly string[] => ['psql', ...login, database, '-c'];
    return {
      ...{ places, station, laboratory, parts, infeed, chips, journalDisk, databaseDisk },
      ...{ stationEnvironment, sql, stop },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type KeepPart = (name: PartName, start: () => Promise<Incarnation>) => Promise<void>;

/** Database, broker, readers and the serial line; each comes back where it was. */
async function startServices(
  places: LinePlaces,
  laboratory: Laboratory,
  keep: KeepPart,
  ends: (() => Promise<void>)[],
  seed: string,
): Promise<{ readonly fixture: FixtureOptions; readonly configurations: Configurations }> {
  if (socketDirectory(places.postgres, '.s.PGSQL.5432').path !== places.postgres)
    throw new RangeError('the directory of the run has too long a name');
  const data = join(places.postgres, 'data');
  await keep('postgres', async () => {
    await withoutOrphans(data);
    return startPostgres({ directory: places.postgres, databases: DATABASES, roles: [BACKEND_ROLE] });
  });
  const acl = accessList(partiesOf(laboratory), PLANT);
  let port = 0;
  await keep('mosquitto', async () => {
    const certificates = laboratory.broker;
    const broker = await startMosquitto({ directory: places.broker, certificates, acl, port });
    port = broker.port;
    return broker;
  });
  let holder: ChildProcess | null = null;
  const startReaders = () =>
    startPcscd({
      directory: places.pcscd,
      readers: 1,
      ...(holder?.pid === undefined ? {} : { networkOf: holder.pid }),
    });
  const first = await startReaders();
  // The readers' network outlives every pcscd.
  const [program = '', ...rest] = first.enter(['setpriv', '--pdeathsig', 'KILL', 'sleep', 'infinity']);
  holder = spawn(program, rest, { stdio: 'ignore' });
  ends.push(async () => void holder?.kill('SIGKILL'));
  let begun = false;
  await keep('pcscd', async () => {
    if (begun) return startReaders();
    begun = true;
    return first;
  });
  const ptyDirectory = join(places.station(1).fixture, 'pty');
  await keep('pty', () => startPtyPair({ directory: ptyDirectory }));
  const url = (name: string, user: string = DATABASE_USER): string =>
    `postgresql:///${name}?host=${encodeURIComponent(places.postgres)}&port=5432&user=${user}`;
  await prepareFleet(url('fleet'));
  const configurations = writeConfigurations(laboratory, {
    brokerPort: port,
    brokerHost,
    ledgerUrl: url('ledger'),
    fleetUrl: url('fleet', BACKEND_ROLE),
    pcscSocket: first.socket,
    readerNames: first.readerNames,
    serialPorts: [join(ptyDirectory, 'station.pty')],
    instructionSockets: instructionSocketsIn(places.root),
    journalSockets: [join(places.root, 'journal.sock')],
  });
  const fixture: FixtureOptions = {
    index: 1,
    places: places.station(1),
    vendorMaster: join(places.vendor, 'transport-master'),
    boardPath: join(ptyDirectory, 'board.pty'),
    vpcdPort: first.vpcdPorts[0] ?? 0,
    enter: first.enter,
    socketsPath: places.root,
    logs: places.logs,
    seed,
  };
  return { fixture, configurations };
}

/** A board has power once its serial line is there, and is at work once it answers. */
async function startBoardAt(fixture: FixtureOptions, infeed: Infeed): Promise<Incarnation> {
  if (!existsSync(fixture.boardPath)) throw new Error('the serial line is cut');
  const socket = boardSocketOf(fixture);
  rmSync(socket, { force: true });
  const board = await startBoard(fixture);
  try {
    const gone = board.ended.then(() => Promise.reject(new Error('the board ended at once')));
    await Promise.race([until(() => existsSync(socket), ORPHAN_DEADLINE_MS), gone]);
    await Promise.race([infeed.attach(await openJsonSocket(socket)), gone]);
  } catch (error) {
    board.child.kill('SIGKILL');
    throw error;
  }
  return asIncarnation(board);
}

/** Server processes outlive a postmaster that was killed; a second one beside them would destroy the data. */
async function withoutOrphans(data: string): Promise<void> {
  if (await ended(processesIn(data), ORPHAN_DEADLINE_MS)) return;
  for (const pid of processesIn(data)) signal(pid, 'SIGKILL');
  await ended(processesIn(data), ORPHAN_DEADLINE_MS);
}

function asIncarnation({ child, ended: over, stop }: Program): Incarnation {
  return { pid: child.pid ?? 0, ended: over, stop };
}
