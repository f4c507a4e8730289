/**
 * Whom a gateway believes and whom it refuses, by the newest list of stations that any gateway of this HSM was given. Each
 * request asks the ledger that they share: what one was told counts at all of them from the next request on.
 */
import { Fault } from '../core/faults.ts';
import { withEnrolled } from '../core/messages/station-enrolment.ts';
import { judgeStationRevocations, type StationRevocations } from '../core/messages/station-revocation.ts';
import type { StationKeys } from '../exchange/responder.ts';
import type { GatewayPorts } from './ports.ts';

export interface StationList extends StationKeys {
  /** By the newest list. @throws Fault STATION_REVOKED, LEDGER_UNAVAILABLE */
  demand(station: string): Promise<void>;
  /** Goes by a list from here on, when it is kept. @throws Fault STATION_LIST_REFUSED, ENVELOPE_INVALID, LEDGER_UNAVAILABLE */
  take(list: string): Promise<StationRevocations>;
}

/** @throws Fault LEDGER_UNAVAILABLE */
export async function readStationList(ports: GatewayPorts): Promise<StationList> {
  const { ledger, crypto, log } = ports;
  let held: StationRevocations | null = null;
  let since = new Map<string, string>();
  let keys = ports.trusted;
  const judge = (list: string): StationRevocations =>
    judgeStationRevocations(list, held, ports.trusted, crypto);
  const use = (list: string): StationRevocations => {
    const judged = judge(list);
    if (judged.number === held?.number) return held;
    held = judged;
    since = new Map(judged.stations.map((one) => [one.station, one.since]));
    keys = withEnrolled(ports.trusted, judged.enrolled ?? []);
    const { number, stations, enrolled = [] } = judged;
    log.write('info', 'stations-told', { number, revoked: stations.length, enrolled: enrolled.length });
    return judged;
  };
  const refresh = async (): Promise<void> => {
    const newer = await ledger.stationList(held?.number ?? -1);
    if (newer !== null) use(newer);
  };
  await refresh();
  return {
    refresh,
    trusted: () => keys,
    demand: async (station) => {
      await refresh();
      const at = since.get(station);
      if (at !== undefined) throw new Fault('STATION_REVOKED', { station, since: at });
    },
    take: async (list) => {
      await refresh();
      const { number } = judge(list);
      return use(await ledger.keepStationList(number, list));
    },
  };
}
