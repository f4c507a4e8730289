/** Writes the programs' configurations for the services of this run: ports and reader names differ each time. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { simulatedNestPins } from '../../drivers/jig/controller/pin-map.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import type { BusIdentity } from './certificates.ts';
import { secretFile } from './keys.ts';
import {
  AUTHORITY,
  controllerOf,
  ISSUER,
  LABORATORY_ROOM,
  type Laboratory,
  LOG_ORIGIN,
  PLANT,
} from './laboratory.ts';
import { QUORUM } from './root.ts';

/** Where the services of this run are found. */
export interface Services {
  readonly brokerPort: number;
  /** Address of the broker as one party sees it; 127.0.0.1 for all when absent. */
  readonly brokerHost?: (party: 'station' | 'gateway' | 'backend') => string;
  readonly ledgerUrl: string;
  readonly fleetUrl: string;
  readonly pcscSocket: string;
  readonly readerNames: readonly string[];
  /** The station's end of each serial line. */
  readonly serialPorts: readonly string[];
  readonly journalSockets: readonly string[];
  readonly instructionSockets: { readonly gateway: string; readonly backend: string };
  /** Of the witnesses that the backend asks; none when absent. */
  readonly policyFile?: string;
}

/** A laboratory does not wait ten seconds for its witness. */
const WITNESS_ROUND_MS = 500;

/** The sockets of both programs in a directory whose path is short enough for sockets. */
export function instructionSocketsIn(directory: string): Services['instructionSockets'] {
  return { gateway: join(directory, 'gateway.sock'), backend: join(directory, 'backend.sock') };
}

/** The first gateway has the socket that everybody looks for; others have theirs beside it. */
function instructionSocketOf({ instructionSockets }: Services, name: string, index: number): string {
  const { gateway } = instructionSockets;
  return index === 0 ? gateway : join(dirname(gateway), `${name}.sock`);
}

export interface Configurations {
  /** One for each gateway of the token; the first is `gateway-1`. */
  readonly gateways: readonly string[];
  readonly gateway: string;
  readonly backend: string;
  readonly stations: readonly string[];
}

export function writeConfigurations(laboratory: Laboratory, services: Services): Configurations {
  const { places, trusted } = laboratory;
  const bus = (party: 'station' | 'gateway' | 'backend', identity: BusIdentity) => ({
    host: services.brokerHost?.(party) ?? '127.0.0.1',
    port: services.brokerPort,
    servername: 'broker',
    ...identity,
  });
  const { module, label, pinFile, constantsFile, softHsmConf } = laboratory.gateway.token;
  const gateways = Object.entries(laboratory.gateways).map(([name, identity], i) =>
    writeJson(join(places.gateway, i === 0 ? 'gateway.json' : `${name}.json`), {
      gateway: name,
      profile: 'laboratory',
      bus: bus('gateway', identity),
      token: { module, label, pinFile, constantsFile, softHsmConf },
      instructionSocket: instructionSocketOf(services, name, i),
      ledgerUrl: services.ledgerUrl,
      markFile: join(places.gateway, `${name}-ledger-mark`),
      issuers: [{ name: ISSUER, key: `issuer-${ISSUER}`, certificate: laboratory.issuerCertificate }],
      hardwareType: documentationIdentifiers.hardwareType,
      batchExtension: documentationIdentifiers.manufacturing,
      scopeExtension: documentationIdentifiers.scope,
      crl: { directory: places.crl },
      trusted,
      ticketQuorum: QUORUM,
    }),
  );
  return {
    gateways,
    gateway: gateways[0] ?? '',
    backend: writeJson(join(places.backend, 'backend.json'), {
      backend: 'backend-1',
      bus: bus('backend', laboratory.backend.bus),
      instructionSocket: services.instructionSockets.backend,
      databaseUrl: services.fleetUrl,
      headFile: join(places.backend, 'log-head'),
      receiptKeyFile: laboratory.backend.receiptKeyFile,
      log: { origin: LOG_ORIGIN, keyFile: laboratory.backend.logKeyFile },
      controllers: laboratory.stations.map(({ station }, i) => ({
        name: controllerOf(i + 1),
        station: station.name,
        keyFile: join(places.backend, `${controllerOf(i + 1)}.key`),
      })),
      authorities: Object.fromEntries(laboratory.stations.map(({ station }) => [station.name, AUTHORITY])),
      rootName: 'Laboratory fleet root',
      revocation: { quorum: QUORUM },
      lifeQuorum: QUORUM,
      operatorQuorum: QUORUM,
      witnesses:
        services.policyFile === undefined
          ? null
          : { policyFile: services.policyFile, roundMs: WITNESS_ROUND_MS },
      trusted,
      ticketQuorum: QUORUM,
    }),
    stations: laboratory.stations.map((station, i) =>
      writeStation(laboratory, station, i, services, bus('station', station.bus)),
    ),
  };
}

/** @param bus where the station finds the broker, and who it is there */
function writeStation(
  { trusted, logKey }: Laboratory,
  { station, token }: Laboratory['stations'][number],
  i: number,
  services: Services,
  bus: object,
): string {
  return writeJson(station.config, {
    station: station.name,
    authority: AUTHORITY,
    instructionSocket: join(dirname(services.instructionSockets.backend), `${station.name}.sock`),
    plant: PLANT,
    nests: [{ name: 'a', reader: services.readerNames[i], pins: simulatedNestPins }],
    controller: controllerOf(i + 1),
    ticketFile: station.ticket,
    statusKey: secretFile(join(station.directory, 'status.key'), 16).toString('hex'),
    journal: {
      directory: station.journal,
      laboratoryFileSystem: true,
      ...LABORATORY_ROOM,
      socket: services.journalSockets[i],
    },
    serialPort: services.serialPorts[i],
    // Simulated contacts do not bounce; a laptop with everything on it may pause.
    jig: { debounceMs: 0, writeMs: 250, silenceMs: 600 },
    pcscSocket: services.pcscSocket,
    bus,
    token: { module: token.module, label: token.label, pinFile: token.pinFile },
    trusted,
    logKey,
  });
}

function writeJson(path: string, value: object): string {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  return path;
}
