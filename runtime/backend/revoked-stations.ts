/** The stations that this backend refuses, kept in memory: they are asked for with every request. */
import { asFault, Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { leafOf } from '../core/log/leaf.ts';
import { seal } from '../core/messages/envelope.ts';
import { stationRevocations } from '../core/messages/station-revocation.ts';
import type { RevokedStationRow } from '../core/store/fleet.ts';
import type { BackendPorts } from './ports.ts';
import type { Sequencer } from './sequencer.ts';

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

/**
 * Refuses like `demand`, and notes in the log that a revoked station still asks: once for each station, so that it cannot
 * fill the log. It is refused also where that cannot be noted.
 */
export function refusing(
  revoked: RevokedStations,
  ports: BackendPorts,
  sequencer: Sequencer,
): (station: string) => Promise<void> {
  const noted = new Set<string>();
  return async (station) => {
    try {
      revoked.demand(station);
    } catch (refusal) {
      if (!noted.has(station))
        await note(station, instantOf(ports.clock.now()), sequencer).then(
          () => noted.add(station),
          (error: unknown) => {
            const { code, context } = asFault(error, 'UNEXPECTED');
            ports.log.write('warn', 'warning', {
              warning: 'a refusal is not in the log',
              station,
              code,
              ...context,
            });
          },
        );
      throw refusal;
    }
  };
}

async function note(station: string, at: string, sequencer: Sequencer): Promise<void> {
  const key = `station-refusal/${station}`;
  await sequencer.add(async (draft) => {
    if ((await draft.tx.leafByKey(key)) === null)
      draft.append(leafOf('station-refusal', key, at, { station }));
  }, false);
}
