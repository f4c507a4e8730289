/** Requests of revoked stations: refused, and noted in the fleet log. */
import { asFault, isFault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { leafOf } from '../core/log/leaf.ts';
import type { BackendPorts } from './ports.ts';
import type { Sequencer } from './sequencer.ts';
import type { StationRegister } from './station-register.ts';

/** Notes that a revoked station still asks: once for each station, so that it cannot fill the log. It is refused also
 * where that cannot be noted. */
export interface RevokedRequests {
  /** Asked before a request. @throws Fault STATION_REVOKED */
  readonly demand: (station: string) => Promise<void>;
  /** The same handler: a station that it finds revoked is noted too. */
  readonly noting: <Request extends { readonly station: string }, Sent, Answer>(
    handler: (request: Request, sent: Sent) => Promise<Answer>,
  ) => (request: Request, sent: Sent) => Promise<Answer>;
}

export function refusing(
  register: StationRegister,
  ports: BackendPorts,
  sequencer: Sequencer,
): RevokedRequests {
  const noted = new Set<string>();
  const noteOnce = async (station: string): Promise<void> => {
    if (noted.has(station)) return;
    await note(station, instantOf(ports.clock.now()), sequencer).then(
      () => noted.add(station),
      (error: unknown) => {
        const { code, context } = asFault(error, 'UNEXPECTED');
        const warning = 'a refusal is not in the log';
        ports.log.write('warn', 'warning', { warning, station, code, ...context });
      },
    );
  };
  return {
    demand: async (station) => {
      await register.look();
      try {
        register.demand(station);
      } catch (refusal) {
        await noteOnce(station);
        throw refusal;
      }
    },
    noting: (handler) => async (request, sent) => {
      try {
        return await handler(request, sent);
      } catch (error) {
        if (isFault(error) && error.code === 'STATION_REVOKED') await noteOnce(request.station);
        throw error;
      }
    },
  };
}

async function note(station: string, at: string, sequencer: Sequencer): Promise<void> {
  const key = `station-refusal/${station}`;
  await sequencer.add(async (draft) => {
    if ((await draft.tx.leafByKey(key)) === null)
      draft.append(leafOf('station-refusal', key, at, { station }));
  }, false);
}
