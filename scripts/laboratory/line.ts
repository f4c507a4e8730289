/** A whole line on one machine: Debian's services, our three programs, boards and chips, each a process of its own. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessList } from '../../runtime/core/messages/catalogue.ts';
import { startMosquitto } from '../stand/mosquitto.ts';
import { startPcscd } from '../stand/pcscd.ts';
import { socketDirectory } from '../stand/places.ts';
import { startPostgres } from '../stand/postgres.ts';
import { startPtyPair } from '../stand/pty-pair.ts';
import { type Configurations, writeConfigurations } from './configurations.ts';
import { createFixtureWorld, type FixtureWorld } from './fixture-world.ts';
import { type Laboratory, PLANT, setUpLaboratory } from './laboratory.ts';
import type { LinePlaces } from './places.ts';
import { type Program, startProgram } from './programs.ts';

export interface LineOptions {
  readonly places: LinePlaces;
  readonly stations: number;
  readonly seed: string;
  /** Told of each part as it starts, for people who wait. */
  readonly onProgress: (what: string) => void;
}

export interface LineStation {
  readonly name: string;
  readonly world: FixtureWorld;
  /** Starts the station's program; `failpoint` ends it at a named point. */
  start(failpoint?: { readonly name: string; readonly skip: number }): Promise<void>;
  /** The program as it runs; null before `start` and after it ended. */
  program(): Program | null;
}

export interface Line {
  readonly laboratory: Laboratory;
  readonly configurations: Configurations;
  readonly stations: readonly LineStation[];
  readonly brokerPort: number;
  readonly fleetUrl: string;
  readonly ledgerUrl: string;
  stop(): Promise<void>;
}

/** Starts everything but the stations' programs. Whatever was started is ended again when something fails. */
export async function startLine(options: LineOptions): Promise<Line> {
  const { places, onProgress } = options;
  const started: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  const keep = <T extends { stop(): Promise<void> }>(part: T): T => {
    started.push(() => part.stop());
    return part;
  };
  try {
    onProgress('keys, tokens and certificates');
    const laboratory = await setUpLaboratory(places, options.stations);
    onProgress('database, broker and card readers');
    const postgres = keep(
      await startPostgres({ directory: places.postgres, databases: ['fleet', 'ledger'] }),
    );
    const acl = accessList(partiesOf(laboratory), PLANT);
    const broker = keep(
      await startMosquitto({ directory: places.broker, certificates: laboratory.broker, acl }),
    );
    const pcscd = keep(await startPcscd({ directory: places.pcscd, readers: options.stations }));
    const sockets = socketDirectory(places.root, 'station-99-journal.sock');
    started.push(async () => sockets.remove());
    const lines = [];
    for (const { station } of laboratory.stations)
      lines.push(keep(await startPtyPair({ directory: join(station.fixture, 'pty') })));
    const url = (name: string): string =>
      `postgresql:///${name}?host=${encodeURIComponent(postgres.socketDirectory)}&port=${postgres.port}&user=${postgres.user}`;
    const configurations = writeConfigurations(laboratory, {
      brokerPort: broker.port,
      ledgerUrl: url('ledger'),
      fleetUrl: url('fleet'),
      pcscSocket: pcscd.socket,
      readerNames: pcscd.readerNames,
      serialPorts: lines.map((line) => line.stationPath),
      journalSockets: laboratory.stations.map(({ station }) =>
        join(sockets.path, `${station.name}-journal.sock`),
      ),
    });
    onProgress('backend and gateway');
    keep(await ourProgram(places, 'backend', configurations.backend));
    keep(await ourProgram(places, 'gateway', configurations.gateway));
    onProgress('boards and chips');
    const stations = [];
    for (const [i, { station }] of laboratory.stations.entries()) {
      const world = keep(
        await createFixtureWorld({
          index: i + 1,
          places: station,
          vendorMaster: join(places.vendor, 'transport-master'),
          boardPath: lines[i]?.boardPath ?? '',
          vpcdPort: pcscd.vpcdPorts[i] ?? 0,
          enter: pcscd.enter,
          socketsPath: sockets.path,
          logs: places.logs,
          seed: `${options.seed}/${station.name}`,
        }),
      );
      stations.push(stationOf(laboratory, configurations, places, i, world, started));
    }
    return {
      laboratory,
      configurations,
      stations,
      brokerPort: broker.port,
      fleetUrl: url('fleet'),
      ledgerUrl: url('ledger'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function partiesOf(laboratory: Laboratory) {
  return {
    stations: laboratory.stations.map(({ station }) => station.name),
    gateways: ['gateway-1'],
    backends: ['backend-1'],
    subscribers: ['mes-1'],
  };
}

function ourProgram(places: LinePlaces, name: 'backend' | 'gateway', config: string): Promise<Program> {
  return startProgram({
    name,
    module: `runtime/${name}/main.js`,
    config,
    logFile: join(places.logs, `${name}.log`),
    ready: '"event":"ready"',
  });
}

function stationOf(
  laboratory: Laboratory,
  configurations: Configurations,
  places: LinePlaces,
  index: number,
  world: FixtureWorld,
  started: (() => Promise<void>)[],
): LineStation {
  const own = laboratory.stations[index];
  const config = configurations.stations[index];
  if (own === undefined || config === undefined) throw new RangeError('no such station');
  let program: Program | null = null;
  started.push(async () => program?.stop());
  return {
    name: own.station.name,
    world,
    program: () => program,
    start: async (failpoint) => {
      const settings = JSON.parse(readFileSync(config, 'utf8')) as object;
      const trap = { failpoint: failpoint?.name ?? null, failpointSkip: failpoint?.skip ?? 0 };
      writeFileSync(config, `${JSON.stringify({ ...settings, ...trap }, null, 2)}\n`);
      const fresh = await startProgram({
        name: own.station.name,
        module: 'runtime/station/main.js',
        config,
        logFile: join(places.logs, `${own.station.name}.log`),
        environment: {
          OPENSSL_ENGINES: enginesDirectory(),
          PKCS11_MODULE_PATH: own.token.module,
          SOFTHSM2_CONF: own.token.softHsmConf,
        },
        ready: '"event":"ready"',
      });
      program = fresh;
      void fresh.ended.then(() => {
        if (program === fresh) program = null;
      });
    },
  };
}

/** Where Debian keeps OpenSSL's engines; Node's own OpenSSL does not look there. */
export function enginesDirectory(): string {
  for (const triplet of readdirSync('/usr/lib').filter(
    (name) => name.endsWith('-linux-gnu') || name.includes('linux-gnueabi'),
  )) {
    const path = join('/usr/lib', triplet, 'engines-3');
    if (readdirSync(join('/usr/lib', triplet)).includes('engines-3')) return path;
  }
  throw new Error('the OpenSSL engines are missing: install libengine-pkcs11-openssl');
}
