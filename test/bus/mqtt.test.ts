import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { disconnectFault } from '../../drivers/bus/connection-faults.ts';
import { type MqttBusOptions, openMqttBus } from '../../drivers/bus/mqtt.ts';
import { clientSecureContext } from '../../drivers/bus/secure-context.ts';
import { type MosquittoStand, startMosquitto } from '../../scripts/stand/mosquitto.ts';
import { busContract, fault, linkIs, until } from '../contracts/bus.contract.ts';
import { createAuthority, type TestAuthority } from './certificates.ts';
import { openWire, type Wire } from './wire.ts';

interface Broker extends AsyncDisposable {
  readonly authority: TestAuthority;
  readonly directory: string;
  stand: MosquittoStand;
  restart(): Promise<void>;
  options(clientId: string, port?: number): MqttBusOptions;
}

async function startBroker(): Promise<Broker> {
  const directory = mkdtempSync(join(tmpdir(), 'bus-'));
  const authority = createAuthority(join(directory, 'pki'));
  const certificates = {
    authority: authority.authority,
    revoked: authority.revoked,
    ...authority.issue('broker'),
  };
  const start = (port?: number) =>
    startMosquitto({
      directory: join(directory, 'broker'),
      certificates,
      acl: 'pattern readwrite open/#\n',
      ...(port === undefined ? {} : { port }),
    });
  const broker: Broker = {
    authority,
    directory,
    stand: await start(),
    restart: async () => {
      const { port } = broker.stand;
      await broker.stand.crash();
      broker.stand = await start(port);
    },
    options: (clientId, port = broker.stand.port) => {
      const { certificate, key } = authority.issue(clientId);
      return {
        host: '127.0.0.1',
        port,
        servername: 'broker.test',
        clientId,
        secureContext: clientSecureContext({
          authorityFile: authority.authority,
          certificateFile: certificate,
          key: { kind: 'file', path: key },
        }),
        clean: true,
        sessionExpirySeconds: 3600,
        keepaliveSeconds: 5,
        connectDeadlineMs: 3_000,
        retry: { firstMs: 20, maxMs: 100, refusedMs: 30_000 },
      };
    },
    [Symbol.asyncDispose]: async () => {
      await broker.stand.stop();
      rmSync(directory, { recursive: true });
    },
  };
  return broker;
}

busContract('over MQTT', async () => {
  const broker = await startBroker();
  const wires = new Map<string, Wire>();
  return {
    connect: async ({ clientId, clean, will }) => {
      const wire = await openWire(broker.stand);
      wires.set(clientId, wire);
      const options = { ...broker.options(clientId, wire.port), clean };
      return openMqttBus({ ...options, ...(will === undefined ? {} : { will }) });
    },
    cut: (clientId) => wires.get(clientId)?.cut(),
    mend: (clientId) => wires.get(clientId)?.mend(),
    [Symbol.asyncDispose]: async () => {
      for (const wire of wires.values()) await wire[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
    },
  };
});

const message = Buffer.from('x');
const atLeastOnce = { qos: 1, retain: false } as const;

describe('the bus over MQTT', () => {
  let broker: Broker;
  before(async () => {
    broker = await startBroker();
  });
  after(() => broker[Symbol.asyncDispose]());

  it('comes back by itself when the broker is killed and started again', async () => {
    await using bus = await openMqttBus(broker.options('restarted'));
    const got: string[] = [];
    await bus.subscribe('open/after', (topic) => got.push(topic));
    await linkIs(bus, true);
    await broker.restart();
    await linkIs(bus, true);
    await until(() => {
      bus
        .publish('open/after', message, atLeastOnce)
        .catch((error) => assert.equal(error.code, 'BUS_UNREACHABLE'));
      return got.length > 0;
    });
  });

  it('finds its persistent session again after the broker was killed', async () => {
    const options = { ...broker.options('sleeper'), clean: false };
    const first = await openMqttBus(options);
    await first.subscribe('open/kept', () => undefined);
    await linkIs(first, true);
    await first.close();
    await using sender = await openMqttBus(broker.options('sender'));
    await linkIs(sender, true);
    for (let i = 0; i < 20; i++) await sender.publish('open/kept', Buffer.from(String(i)), atLeastOnce);
    // mosquitto answers before it saves: the last message is on its disk a moment later.
    await sleep(500);
    await broker.restart();
    await using again = await openMqttBus(options);
    const got: string[] = [];
    await again.subscribe('open/kept', (_topic, payload) => got.push(Buffer.from(payload).toString()));
    await until(() => got.length >= 20);
    assert.deepEqual(
      got,
      Array.from({ length: 20 }, (_, i) => String(i)),
    );
  });

  it('tells an expired own certificate apart, and does not even connect', async () => {
    const { certificate, key } = broker.authority.issue('expired', { days: 0 });
    const identity = { authorityFile: broker.authority.authority, certificateFile: certificate };
    const secureContext = clientSecureContext({ ...identity, key: { kind: 'file', path: key } });
    let connections = 0;
    const server = createServer(() => connections++);
    const port = await listen(server);
    await using bus = await openMqttBus({ ...broker.options('unused', port), secureContext });
    const link = await faultOf(bus, 'BUS_CERTIFICATE_EXPIRED');
    assert.equal(link.context.notAfter, '2020-01-02T00:00:00.000Z');
    await assert.rejects(bus.publish('open/x', message, atLeastOnce), fault('BUS_UNREACHABLE'));
    assert.equal(connections, 0);
    server.close();
  });

  it('tells a refusal by the broker apart: a revoked certificate, and one of another authority', async () => {
    const options = broker.options('revoked');
    broker.authority.revoke('revoked');
    broker.stand.reload();
    await sleep(200);
    await using bus = await openMqttBus(options);
    await faultOf(bus, 'BUS_REFUSED');
    const foreign = createAuthority(join(broker.directory, 'foreign'));
    const { certificate, key } = foreign.issue('foreign');
    const identity = { authorityFile: broker.authority.authority, certificateFile: certificate };
    const secureContext = clientSecureContext({ ...identity, key: { kind: 'file', path: key } });
    await using other = await openMqttBus({ ...broker.options('honest'), secureContext });
    await faultOf(other, 'BUS_REFUSED');
  });

  it('does not talk to a broker of another name', async () => {
    await using bus = await openMqttBus({ ...broker.options('careful'), servername: 'elsewhere.test' });
    const { context } = await faultOf(bus, 'BUS_UNREACHABLE');
    assert.equal(context.reason, 'ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('gives up a connection that answers nothing, and tries again', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.resume().on('error', () => undefined);
    });
    const port = await listen(server);
    await using bus = await openMqttBus({ ...broker.options('patient', port), connectDeadlineMs: 100 });
    await until(() => connections >= 3);
    await bus.close();
    server.close();
  });

  it('notices a silent partition by its keepalive, and what was under way fails', async () => {
    await using wire = await openWire(broker.stand);
    await using bus = await openMqttBus({
      ...broker.options('parted', wire.port),
      keepaliveSeconds: 1,
      connectDeadlineMs: 8_000,
    });
    await linkIs(bus, true);
    wire.silence(true);
    await assert.rejects(bus.publish('open/x', message, atLeastOnce), fault('BUS_UNREACHABLE'));
    await linkIs(bus, false);
    wire.silence(false);
    await linkIs(bus, true);
    await bus.publish('open/x', message, atLeastOnce);
  });

  it('bounds what waits for the broker', async () => {
    await using wire = await openWire(broker.stand);
    await using bus = await openMqttBus(broker.options('flood', wire.port));
    await linkIs(bus, true);
    wire.silence(true);
    const calls = Array.from({ length: 1025 }, () => bus.publish('open/x', message, atLeastOnce));
    const outcome = Promise.allSettled(calls);
    await assert.rejects(calls[1024] ?? Promise.resolve(), fault('UNEXPECTED'));
    wire.cut();
    const rest = (await outcome).slice(0, 1024);
    assert.ok(rest.every((one) => one.status === 'rejected' && fault('BUS_UNREACHABLE')(one.reason)));
  });

  it('takes it for a refusal when a broker says that somebody else has the same certificate', () => {
    assert.equal(disconnectFault(0x8e).code, 'BUS_REFUSED');
    assert.equal(disconnectFault(0x8b).code, 'BUS_UNREACHABLE');
  });
});

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** The fault of the link once it is down with this code. */
function faultOf(bus: Awaited<ReturnType<typeof openMqttBus>>, code: string) {
  return new Promise<{ readonly context: Readonly<Record<string, unknown>> }>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${code}`)), 10_000);
    bus.onLink((link) => {
      if (link.up || link.fault.code !== code || link.fault.context.reason === 'not yet connected') return;
      clearTimeout(timer);
      resolve(link.fault);
    });
  });
}
