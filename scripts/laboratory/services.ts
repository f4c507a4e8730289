/** What stands around our programs on a line: database, broker, card readers, and a serial line to each board. */
import { join } from 'node:path';
import { prepareFleetDatabase } from '../../drivers/store/postgres/fleet-role.ts';
import { accessList } from '../../runtime/core/messages/catalogue.ts';
import { type MosquittoStand, startMosquitto } from '../stand/mosquitto.ts';
import { type PcscdStand, startPcscd } from '../stand/pcscd.ts';
import { socketDirectory } from '../stand/places.ts';
import { type PostgresStand, startPostgres } from '../stand/postgres.ts';
import { startPtyPair } from '../stand/pty-pair.ts';
import { instructionSocketsIn, type Services } from './configurations.ts';
import { type Laboratory, PLANT } from './laboratory.ts';
import type { LinePlaces } from './places.ts';

/** The backend's own in the fleet database, whose owner migrates it. */
export const BACKEND_ROLE = 'fleet_backend';

export interface StartedServices {
  readonly postgres: PostgresStand;
  readonly broker: MosquittoStand;
  readonly pcscd: PcscdStand;
  /** Where our programs find them. */
  readonly found: Services;
  /** The board's end of each serial line. */
  readonly boardPaths: readonly string[];
  /** A directory whose name is short enough for Unix sockets. */
  readonly socketsPath: string;
}

/** Notes what was started, so that it is ended with the line; answers it. */
export type Keep = <T extends { stop(): Promise<void> }>(part: T) => T;

export async function startServices(
  laboratory: Laboratory,
  places: LinePlaces,
  keep: Keep,
): Promise<StartedServices> {
  const { stations } = laboratory;
  const postgres = keep(
    await startPostgres({
      directory: places.postgres,
      databases: ['fleet', 'ledger'],
      roles: [BACKEND_ROLE],
    }),
  );
  const acl = accessList(partiesOf(laboratory), PLANT);
  const broker = keep(
    await startMosquitto({ directory: places.broker, certificates: laboratory.broker, acl }),
  );
  const pcscd = keep(await startPcscd({ directory: places.pcscd, readers: stations.length }));
  const sockets = socketDirectory(places.root, 'station-99-journal.sock');
  keep({ stop: async () => sockets.remove() });
  const lines = [];
  for (const { station } of stations)
    lines.push(keep(await startPtyPair({ directory: join(station.fixture, 'pty') })));
  const url = (name: string, user: string = postgres.user): string =>
    `postgresql:///${name}?host=${encodeURIComponent(postgres.socketDirectory)}&port=${postgres.port}&user=${user}`;
  await prepareFleet(url('fleet'));
  const found: Services = {
    brokerPort: broker.port,
    ledgerUrl: url('ledger'),
    fleetUrl: url('fleet', BACKEND_ROLE),
    pcscSocket: pcscd.socket,
    readerNames: pcscd.readerNames,
    serialPorts: lines.map((line) => line.stationPath),
    instructionSockets: instructionSocketsIn(sockets.path),
    journalSockets: stations.map(({ station }) => join(sockets.path, `${station.name}-journal.sock`)),
  };
  const boardPaths = lines.map((line) => line.boardPath);
  return { postgres, broker, pcscd, found, boardPaths, socketsPath: sockets.path };
}

/** @param url of the database's owner */
export function prepareFleet(url: string): Promise<void> {
  const options = { url, statementTimeoutMs: 30_000, connectTimeoutMs: 10_000, poolMax: 1 };
  return prepareFleetDatabase(options, BACKEND_ROLE);
}

export function partiesOf(laboratory: Laboratory) {
  return {
    stations: laboratory.stations.map(({ station }) => station.name),
    gateways: Object.keys(laboratory.gateways),
    backends: ['backend-1'],
    subscribers: ['mes-1'],
  };
}
