/**
 * The bus over MQTT 5 and TLS 1.3. Nothing is queued: what cannot be sent now fails, and the journal is the only
 * outbox. Each attempt to connect is a new client object, over the same SecureContext until the certificate is renewed.
 *
 * @see OASIS MQTT Version 5.0
 */
import { randomInt } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { IClientOptions, MqttClient } from 'mqtt';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { asFault, Fault, isFault } from '../../runtime/core/faults.ts';
import type { Bus, Link, PublishOptions } from '../../runtime/core/ports.ts';
import { connectionFault, disconnectFault, requestFault } from './connection-faults.ts';
import { createPacketGauge, PACKET_BYTES_MAX } from './packet-gauge.ts';
import type { ClientSecureContext, PresentContext } from './secure-context.ts';
import { matches, parseFilter, type TopicFilter } from './topic-filter.ts';

export interface MqttBusOptions {
  readonly host: string;
  readonly port: number;
  /** The name in the broker's certificate. */
  readonly servername: string;
  /** The common name of the own certificate: the broker insists on it. */
  readonly clientId: string;
  readonly secureContext: ClientSecureContext;
  /** False: the broker keeps the session for `sessionExpirySeconds`. Shared subscriptions want true. */
  readonly clean: boolean;
  readonly sessionExpirySeconds: number;
  readonly keepaliveSeconds: number;
  /** What the broker publishes when this program is gone without a word. */
  readonly will?: { readonly topic: string; readonly payload: Bytes; readonly retain: boolean };
  /** Told when a renewed certificate is not taken, at each connection that goes on with the former. */
  readonly onUnfit?: (fault: Fault) => void;
  /** Longest wait for CONNACK, and for each answer of the broker. */
  readonly connectDeadlineMs: number;
  readonly retry?: RetryTimes;
}

export interface RetryTimes {
  /** Wait after the first failure, doubled at each one to `maxMs`, each time between half and one and a half of it. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** Wait after the broker refused this program: asking faster changes nothing. */
  readonly refusedMs: number;
}

export const defaultRetryTimes: RetryTimes = { firstMs: 500, maxMs: 15_000, refusedMs: 60_000 };

/** Messages that may wait for the broker's answer at a time. */
const UNANSWERED_MAX = 1024;
/** An orderly farewell that takes longer is cut short. */
const CLOSE_DEADLINE_MS = 1_000;

/**
 * Connects in the background, beginning after the caller's turn: subscribe right after opening, and no message that
 * waited at the broker is missed. A message without a handler is dropped.
 */
export async function openMqttBus(options: MqttBusOptions): Promise<Bus & AsyncDisposable> {
  const mqtt = await import('mqtt');
  const bus = new MqttBus(options, (clientOptions) => mqtt.connect(clientOptions));
  setImmediate(() => bus.connect());
  return bus;
}

interface Subscription {
  readonly parsed: TopicFilter;
  readonly handlers: ((topic: string, payload: Bytes) => void)[];
}

class MqttBus implements Bus, AsyncDisposable {
  readonly #options: MqttBusOptions;
  readonly #createClient: (options: IClientOptions) => MqttClient;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #linkHandlers: ((link: Link) => void)[] = [];
  /** What waits for the broker's answer on the present connection. */
  readonly #unanswered = new Set<(fault: Fault) => void>();
  #link: Link = { up: false, fault: new Fault('BUS_UNREACHABLE', { reason: 'not yet connected' }) };
  #client: MqttClient | null = null;
  /** Ends the present connection; the next attempt follows. */
  #fail: (error: unknown) => void = () => undefined;
  #retryTimer: NodeJS.Timeout | null = null;
  #failures = 0;
  #closed = false;

  constructor(options: MqttBusOptions, createClient: (options: IClientOptions) => MqttClient) {
    this.#options = options;
    this.#createClient = createClient;
  }

  async publish(topic: string, payload: Bytes, { qos, retain }: PublishOptions): Promise<void> {
    const client = this.#client;
    if (!this.#link.up || client === null) throw this.#downFault();
    if (this.#unanswered.size >= UNANSWERED_MAX)
      throw new Fault('UNEXPECTED', { queue: 'bus', waitingMax: UNANSWERED_MAX });
    await this.#answered(topic, (done) => client.publish(topic, Buffer.from(payload), { qos, retain }, done));
  }

  async subscribe(filter: string, handler: (topic: string, payload: Bytes) => void): Promise<void> {
    const known = this.#subscriptions.get(filter);
    if (known === undefined)
      this.#subscriptions.set(filter, { parsed: parseFilter(filter), handlers: [handler] });
    else known.handlers.push(handler);
    // While there is no connection, the next one brings it.
    if (this.#link.up && this.#client !== null) await this.#subscribeAt(this.#client, [filter]);
  }

  onLink(handler: (link: Link) => void): void {
    this.#linkHandlers.push(handler);
    handler(this.#link);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    const client = this.#client;
    this.#client = null;
    this.#settle(new Fault('BUS_UNREACHABLE', { reason: 'closed' }));
    if (client === null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        client.stream.destroy();
        resolve();
      }, CLOSE_DEADLINE_MS);
      client.end(false, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** One attempt; every later one follows from how it ends. */
  connect(): void {
    if (this.#closed) return;
    const { connectDeadlineMs } = this.#options;
    const identity = this.#identity();
    if (isFault(identity)) {
      this.#retryAfter(identity);
      return;
    }
    const client = this.#createClient(this.#clientOptions(identity.context));
    this.#client = client;
    let cause: unknown = null;
    const fail = (error: unknown): void => {
      clearTimeout(deadline);
      if (this.#client !== client) return;
      this.#client = null;
      client.end(true);
      this.#retryAfter(connectionFault(error ?? cause));
    };
    this.#fail = fail;
    const deadline = setTimeout(() => fail({ code: 'no CONNACK' }), connectDeadlineMs);
    // After a packet that makes no sense nothing that follows does.
    client.on('error', (error) => fail(error));
    client.on('disconnect', (packet) => fail(disconnectFault(packet.reasonCode)));
    client.on('close', () => fail(null));
    client.on('message', (topic, payload) => this.#deliver(topic, payload));
    client.on('connect', () => {
      clearTimeout(deadline);
      this.#connected(client).catch(fail);
    });
    client.connect();
    client.stream.on('error', (error) => {
      cause = error;
    });
    const gauge = createPacketGauge();
    client.stream.on('data', (chunk: Bytes) => {
      const wrong = gauge(chunk);
      if (wrong !== null) fail({ code: wrong });
    });
  }

  /** Certificate and key for one connection, or why there is none. */
  #identity(): PresentContext | Fault {
    const { secureContext } = this.#options;
    try {
      const present = secureContext.current();
      if (present.unfit !== null) this.#options.onUnfit?.(present.unfit);
      if (present.notAfterMs > Date.now()) return present;
      const notAfter = new Date(present.notAfterMs).toISOString();
      return new Fault('BUS_CERTIFICATE_EXPIRED', { certificate: secureContext.certificateFile, notAfter });
    } catch (error) {
      return asFault(error, 'CONFIG_INVALID');
    }
  }

  /** The link is up only when every subscription is in place: whoever asks then misses no answer. */
  async #connected(client: MqttClient): Promise<void> {
    // With Nagle's algorithm each message waits 45 ms. The stream is a new one at every connection.
    (client.stream as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
    // Some may be added while the broker answers for the others.
    for (let done = 0; done < this.#subscriptions.size; ) {
      const filters = [...this.#subscriptions.keys()].slice(done);
      await this.#subscribeAt(client, filters);
      done += filters.length;
    }
    if (this.#client !== client) return;
    this.#failures = 0;
    this.#tell({ up: true });
  }

  async #subscribeAt(client: MqttClient, filters: readonly string[]): Promise<void> {
    const name = filters.join(' ');
    await this.#answered(name, (done) => client.subscribe([...filters], { qos: 1 }, done));
  }

  /** Resolves with the broker's answer; fails with the connection, or when the broker takes too long. */
  #answered(topic: string, send: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.#unanswered.delete(lost);
        end();
      };
      const lost = (fault: Fault): void => settle(() => reject(fault));
      // A broker that does not answer will have to answer for the next one too: what it owes is kept inside the client.
      const timer = setTimeout(() => {
        lost(new Fault('BUS_UNREACHABLE', { topic, reason: 'no answer' }));
        this.#fail({ code: 'no answer' });
      }, this.#options.connectDeadlineMs);
      this.#unanswered.add(lost);
      send((error) => settle(() => (error ? reject(requestFault(error, topic)) : resolve())));
    });
  }

  #deliver(topic: string, payload: Bytes): void {
    for (const { parsed, handlers } of this.#subscriptions.values())
      if (matches(parsed, topic)) for (const handler of handlers) handler(topic, payload);
  }

  #retryAfter(fault: Fault): void {
    const { firstMs, maxMs, refusedMs } = this.#options.retry ?? defaultRetryTimes;
    const patient = fault.code !== 'BUS_UNREACHABLE';
    const waitMs = patient ? refusedMs : Math.min(maxMs, firstMs * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    // Without the spread all stations would meet a restarted broker in the same second.
    this.#retryTimer = setTimeout(() => this.connect(), waitMs * (0.5 + randomInt(1000) / 1000));
    this.#settle(fault);
  }

  /** The connection is gone: nobody waits for its answers any longer. */
  #settle(fault: Fault): void {
    for (const lost of [...this.#unanswered]) lost(fault);
    this.#tell({ up: false, fault });
  }

  #tell(link: Link): void {
    this.#link = link;
    for (const handler of this.#linkHandlers) handler(link);
  }

  #downFault(): Fault {
    if (this.#link.up) return new Fault('BUS_UNREACHABLE');
    const { fault } = this.#link;
    return fault.code === 'BUS_UNREACHABLE'
      ? fault
      : new Fault('BUS_UNREACHABLE', { after: fault.code }, { cause: fault });
  }

  #clientOptions(secureContext: SecureContext): IClientOptions {
    const { will, secureContext: _, onUnfit: __, ...options } = this.#options;
    return {
      protocol: 'mqtts',
      protocolVersion: 5,
      host: options.host,
      port: options.port,
      servername: options.servername,
      rejectUnauthorized: true,
      // The types leave it out; it reaches tls.connect as it is.
      ...{ secureContext },
      clientId: options.clientId,
      clean: options.clean,
      properties: {
        sessionExpiryInterval: options.sessionExpirySeconds,
        maximumPacketSize: PACKET_BYTES_MAX,
      },
      keepalive: options.keepaliveSeconds,
      connectTimeout: options.connectDeadlineMs,
      ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload), qos: 1 } }),
      // One connection per client object, made by us; nothing waits inside.
      manualConnect: true,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
    };
  }
}
