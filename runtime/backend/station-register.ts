/**
 * Whom this backend believes and whom it refuses, kept in memory because it is asked for with every request: the stations
 * of the configuration, those that officers enrolled, without those that they revoked. Another backend of the same store
 * may have taken either: requests that write look at the store in their own transaction, and the rest follows soon.
 */
import { asFault, Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { seal, type TrustedKey } from '../core/messages/envelope.ts';
import { enrolledNow, type KnownStations, withEnrolled } from '../core/messages/station-enrolment.ts';
import { stationRevocations } from '../core/messages/station-revocation.ts';
import type { EnrolledStationRow, FleetTransaction, RevokedStationRow } from '../core/store/fleet.ts';
import type { StationKeys } from '../exchange/responder.ts';
import type { BackendPorts } from './ports.ts';

export interface StationRegister extends StationKeys {
  /** @throws Fault STATION_REVOKED */
  demand(station: string): void;
  /** The same by the store, inside the transaction of a request. @throws Fault STATION_REVOKED */
  demandStored(tx: FleetTransaction, station: string): Promise<void>;
  /** From here on its requests are refused. */
  revoke(row: RevokedStationRow): void;
  /** From here on its requests are believed. */
  enrol(row: EnrolledStationRow): void;
  /** Looks at the store when that was long ago; while it is away, what is known goes on. */
  look(): Promise<void>;
  /** The list as gateways take it. */
  signed(): Promise<{ readonly list: string; readonly number: number }>;
}

/** How long a key that another backend has replaced may still be believed here. */
const LOOK_MS = 5_000;

interface Known extends KnownStations {
  readonly revoked: readonly RevokedStationRow[];
}

/** @throws Fault STORE_UNAVAILABLE */
export async function openStationRegister(ports: BackendPorts): Promise<StationRegister> {
  const { clock, store, log } = ports;
  const read = (): Promise<Known> =>
    store.transaction(async (tx) => {
      const [revoked, enrolled] = await Promise.all([tx.revokedStations(), tx.enrolledStations()]);
      return { revoked: [...revoked], enrolled: [...enrolled] };
    });
  let known = await read();
  let keys = keysOf(known, ports);
  let lookedMs = clock.monotonicMs();
  const use = (now: Known): void => {
    const changed =
      now.enrolled.length !== known.enrolled.length || now.revoked.length !== known.revoked.length;
    known = now;
    if (changed) keys = keysOf(known, ports);
  };
  const refresh = async (): Promise<void> => {
    lookedMs = clock.monotonicMs();
    use(await read());
  };
  const demand = (station: string): void => {
    const row = known.revoked.find((one) => one.station === station);
    if (row !== undefined) throw new Fault('STATION_REVOKED', { station, since: row.since });
  };
  const register: StationRegister = {
    trusted: () => keys,
    refresh,
    look: async () => {
      if (clock.monotonicMs() - lookedMs < LOOK_MS) return;
      await refresh().catch((error: unknown) => {
        const { code, context } = asFault(error, 'STORE_UNAVAILABLE');
        log.write('warn', 'warning', { warning: 'the stations could not be read again', code, ...context });
      });
    },
    demand,
    demandStored: async (tx, station) => {
      const row = await tx.revokedStation(station);
      if (row !== null) register.revoke(row);
      demand(station);
    },
    revoke: (row) => {
      if (!known.revoked.some(({ station }) => station === row.station))
        use({ ...known, revoked: [...known.revoked, row] });
    },
    enrol: (row) => {
      if (!known.enrolled.some(({ number }) => number === row.number))
        use({ ...known, enrolled: [...known.enrolled, row] });
    },
    signed: async () => {
      await refresh();
      return signedList(known, ports);
    },
  };
  return register;
}

function keysOf(known: Known, { trusted }: BackendPorts): readonly TrustedKey[] {
  return withEnrolled(trusted, enrolledNow(known));
}

async function signedList(
  known: Known,
  { clock, signer, crypto }: BackendPorts,
): Promise<{ readonly list: string; readonly number: number }> {
  const stations = known.revoked.map(({ station, since, reason }) => ({ station, since, reason }));
  const enrolled = enrolledNow(known).map(({ station, since, envelopeKey }) => ({
    ...{ station, since, envelopeKey },
  }));
  const number = known.revoked.length + known.enrolled.length;
  const payload = {
    number,
    at: instantOf(clock.now()),
    stations,
    ...(enrolled.length === 0 ? {} : { enrolled }),
  };
  return { list: await seal(stationRevocations, payload, signer, crypto), number };
}
