/**
 * The stations that a gateway refuses, by the newest list that any gateway of this HSM was given. Each opening asks the
 * ledger that they share; between two openings a list counts that this gateway was given itself.
 */
import { Fault } from '../core/faults.ts';
import { judgeStationRevocations, type StationRevocations } from '../core/messages/station-revocation.ts';
import type { GatewayPorts } from './ports.ts';

export interface RevokedStations {
  /** @throws Fault STATION_REVOKED */
  demand(station: string): void;
  /** Looks whether another gateway was given a newer list. @throws Fault LEDGER_UNAVAILABLE */
  refresh(): Promise<void>;
  /** Goes by a list from here on, when it is kept. @throws Fault STATION_LIST_REFUSED, ENVELOPE_INVALID, LEDGER_UNAVAILABLE */
  take(list: string): Promise<StationRevocations>;
}

export async function readRevokedStations({
  ledger,
  trusted,
  crypto,
  log,
}: GatewayPorts): Promise<RevokedStations> {
  let jws: string | null = null;
  let held: StationRevocations | null = null;
  let since = new Map<string, string>();
  const use = (list: string): StationRevocations => {
    if (list === jws && held !== null) return held;
    const judged = judgeStationRevocations(list, held, trusted, crypto);
    jws = list;
    held = judged;
    since = new Map(judged.stations.map((one) => [one.station, one.since]));
    log.write('info', 'stations-revoked', { number: judged.number });
    return judged;
  };
  const refresh = async (): Promise<void> => {
    const kept = await ledger.stationRevocations();
    if (kept !== null) use(kept);
  };
  await refresh();
  return {
    refresh,
    demand: (station) => {
      const at = since.get(station);
      if (at !== undefined) throw new Fault('STATION_REVOKED', { station, since: at });
    },
    take: async (list) => {
      await refresh();
      const { number } = judgeStationRevocations(list, held, trusted, crypto);
      return use(await ledger.keepStationRevocations(number, list));
    },
  };
}
