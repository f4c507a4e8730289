/** Follows the stations' status on the bus as an MES would: read-only, with a certificate of its own. */

import { busIdentity } from '../../config/load.ts';
import { openMqttBus } from '../../drivers/bus/mqtt.ts';
import { clientSecureContext } from '../../drivers/bus/secure-context.ts';
import { decodeJson, filterOf, parametersIn } from '../../runtime/core/messages/channel.ts';
import { statusState } from '../../runtime/core/messages/status.ts';
import { PLANT } from './laboratory.ts';
import type { Line } from './line.ts';

export async function watchStatus(
  line: Line,
  onStep: (station: string, step: string, reason: string | null) => void,
): Promise<{ close(): Promise<void> }> {
  const bus = await openSubscriber(line);
  await bus.subscribe(filterOf(statusState, { ...PLANT }), (topic, payload) => {
    const station = parametersIn(statusState, topic)?.station;
    if (station === undefined) return;
    const { step, reason } = decodeJson(statusState.payload, payload);
    onStep(station, step, reason === null ? null : `${reason.title} (${reason.code})`);
  });
  return bus;
}

/** The connection of a subscriber, as an integrator's MES would have one. */
export function openSubscriber(line: Line): ReturnType<typeof openMqttBus> {
  return openMqttBus({
    host: '127.0.0.1',
    port: line.brokerPort,
    servername: 'broker',
    clientId: 'mes-1',
    secureContext: clientSecureContext(busIdentity(line.laboratory.subscriber)),
    clean: true,
    sessionExpirySeconds: 0,
    keepaliveSeconds: 5,
    connectDeadlineMs: 5_000,
  });
}
