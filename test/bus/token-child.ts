/** Connects with a key that lives in a token, is cut off by its parent, and tells each time that it is back. */
import { openMqttBus } from '../../drivers/bus/mqtt.ts';
import { type ClientIdentity, clientSecureContext } from '../../drivers/bus/secure-context.ts';

const [identity = '', port = ''] = process.argv.slice(2);

const bus = await openMqttBus({
  host: '127.0.0.1',
  port: Number(port),
  servername: 'broker.test',
  clientId: 'token-station',
  secureContext: clientSecureContext(JSON.parse(identity) as ClientIdentity),
  clean: true,
  sessionExpirySeconds: 0,
  keepaliveSeconds: 5,
  connectDeadlineMs: 5_000,
  retry: { firstMs: 20, maxMs: 50, refusedMs: 30_000 },
});
bus.onLink((link) => process.stdout.write(`${link.up ? 'up' : link.fault.code}\n`));
