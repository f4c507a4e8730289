/** A whole line on one machine: Debian's services, our three programs, boards and chips, each a process of its own. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MosquittoStand } from '../stand/mosquitto.ts';
import type { PcscdStand } from '../stand/pcscd.ts';
import type { PostgresStand } from '../stand/postgres.ts';
import { linkCeremony } from './ceremony.ts';
import { type Configurations, writeConfigurations } from './configurations.ts';
import { createFixtureWorld, type FixtureWorld } from './fixture-world.ts';
import { type Laboratory, type LaboratoryStation, setUpLaboratory } from './laboratory.ts';
import type { LinePlaces } from './places.ts';
import { type Program, startProgram } from './programs.ts';
import { startServices } from './services.ts';
import { startWitness } from './witness.ts';

export interface LineOptions {
  readonly places: LinePlaces;
  readonly stations: number;
  /** Gateways of the one token; one by default. */
  readonly gateways?: number;
  readonly seed: string;
  /** Whether a witness cosigns the log. */
  readonly witnessed?: boolean;
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
  /** What may be taken away from a running line. Whoever starts one again ends that one too. */
  readonly parts: LineParts;
  stop(): Promise<void>;
}

export interface LineParts {
  readonly postgres: PostgresStand;
  readonly broker: MosquittoStand;
  readonly pcscd: PcscdStand;
  readonly backend: Program;
  /** The first of them. */
  readonly gateway: Program;
  readonly gateways: readonly Program[];
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
    const laboratory = await setUpLaboratory(places, options.stations, options.gateways);
    onProgress('database, broker and card readers');
    const services = await startServices(laboratory, places, keep);
    const { postgres, broker, pcscd, found } = services;
    const witness = options.witnessed === true ? await startWitness(laboratory, places) : null;
    if (witness !== null) keep(witness.program);
    const policy = witness === null ? {} : { policyFile: witness.policyFile };
    const configurations = writeConfigurations(laboratory, { ...found, ...policy });
    onProgress('backend and gateway');
    const backend = keep(await ourProgram(places, 'backend', configurations.backend));
    await linkCeremony(places, found.instructionSockets.backend);
    const gateway = keep(await ourProgram(places, 'gateway', configurations.gateway));
    const gateways = [gateway];
    for (const [i, config] of configurations.gateways.slice(1).entries())
      gateways.push(keep(await ourProgram(places, 'gateway', config, `gateway-${i + 2}`)));
    onProgress('boards and chips');
    const stations = [];
    for (const [i, { station }] of laboratory.stations.entries()) {
      const world = keep(
        await createFixtureWorld({
          index: i + 1,
          places: station,
          vendorMaster: join(places.vendor, 'transport-master'),
          boardPath: services.boardPaths[i] ?? '',
          vpcdPort: pcscd.vpcdPorts[i] ?? 0,
          enter: pcscd.enter,
          socketsPath: services.socketsPath,
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
      brokerPort: found.brokerPort,
      fleetUrl: found.fleetUrl,
      ledgerUrl: found.ledgerUrl,
      parts: { postgres, broker, pcscd, backend, gateway, gateways },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function ourProgram(
  places: LinePlaces,
  name: 'backend' | 'gateway',
  config: string,
  instance: string = name,
): Promise<Program> {
  return startProgram({
    name: instance,
    module: `runtime/${name}/main.js`,
    config,
    logFile: join(places.logs, `${instance}.log`),
    ready: '"event":"ready"',
  });
}

/** @param environment added to what every station's program needs */
export function stationProgram(
  places: LinePlaces,
  { station, token }: LaboratoryStation,
  config: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Program> {
  return startProgram({
    name: station.name,
    module: 'runtime/station/main.js',
    config,
    logFile: join(places.logs, `${station.name}.log`),
    environment: {
      OPENSSL_ENGINES: enginesDirectory(),
      PKCS11_MODULE_PATH: token.module,
      SOFTHSM2_CONF: token.softHsmConf,
      ...environment,
    },
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
      const fresh = await stationProgram(places, own, config);
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
