/** The stations that this backend refuses, kept in memory: they are asked for with every request. */
import { Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { seal } from '../core/messages/envelope.ts';
import { stationRevocations } from '../core/messages/station-revocation.ts';
import type { RevokedStationRow } from '../core/store/fleet.ts';
import type { BackendPorts } from './ports.ts';

export interface RevokedStations {
  /** @throws Fault STATION_REVOKED */
  demand(station: string): void;
  /** From here on its requests are refused. */
  add(row: RevokedStationRow): void;
  /** The list as gateways take it. */
  signed(): Promise<{ readonly list: string; readonly number: number }>;
}

/** @throws Fault STORE_UNAVAILABLE */
export async function readRevokedStations(ports: BackendPorts): Promise<RevokedStations> {
  const rows = [...(await ports.store.transaction((tx) => tx.revokedStations()))];
  const byName = new Map(rows.map((row) => [row.station, row]));
  return {
    demand: (station) => {
      const row = byName.get(station);
      if (row !== undefined) throw new Fault('STATION_REVOKED', { station, since: row.since });
    },
    add: (row) => {
      if (byName.has(row.station)) return;
      rows.push(row);
      byName.set(row.station, row);
    },
    signed: async () => {
      const stations = rows.map(({ station, since, reason }) => ({ station, since, reason }));
      const payload = { number: rows.length, at: instantOf(ports.clock.now()), stations };
      const list = await seal(stationRevocations, payload, ports.signer, ports.crypto);
      return { list, number: rows.length };
    },
  };
}
