/** What every bus driver promises; run on the one over MQTT with a real broker and on the simulated one. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFault } from '../../runtime/core/faults.ts';
import type { Bus, Link } from '../../runtime/core/ports.ts';

/** A broker where everybody may write and read under `open/`, and nobody anywhere else. */
export interface BusRig extends AsyncDisposable {
  connect(options: {
    readonly clientId: string;
    readonly clean: boolean;
    readonly will?: { readonly topic: string; readonly payload: Uint8Array; readonly retain: boolean };
  }): Promise<Bus & AsyncDisposable>;
  /** Breaks the connection of a client until it is mended. */
  cut(clientId: string): void;
  mend(clientId: string): void;
}

const DEADLINE_MS = 10_000;
const once = { qos: 1, retain: false } as const;
const kept = { qos: 1, retain: true } as const;
const text = (payload: Uint8Array): string => Buffer.from(payload).toString();

export function busContract(name: string, createRig: () => Promise<BusRig>): void {
  describe(`the bus port: ${name}`, () => {
    let rig: BusRig;
    let clients = 0;
    before(async () => {
      rig = await createRig();
    });
    after(() => rig[Symbol.asyncDispose]());
    const connect = async (
      options: {
        clean?: boolean;
        will?: { topic: string; payload: Uint8Array; retain: boolean };
        clientId?: string;
      } = {},
    ) => {
      const clientId = options.clientId ?? `client-${++clients}`;
      const bus = await rig.connect({ clean: true, ...options, clientId });
      await linkIs(bus, true);
      return { bus, clientId, [Symbol.asyncDispose]: () => bus.close() };
    };
    const inbox = async (bus: Bus, filter: string) => {
      const got: string[] = [];
      await bus.subscribe(filter, (topic, payload) => got.push(`${topic} ${text(payload)}`));
      return got;
    };

    it('brings a message to whoever subscribed, in order, bytes as they are', async () => {
      await using a = await connect();
      await using b = await connect();
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const got: Uint8Array[] = [];
      await b.bus.subscribe('open/bytes', (_topic, payload) => got.push(Uint8Array.from(payload)));
      const many = await inbox(b.bus, 'open/many');
      await a.bus.publish('open/bytes', bytes, once);
      for (let i = 0; i < 50; i++)
        await a.bus.publish('open/many', Buffer.from(String(i)), { qos: i % 2 ? 1 : 0, retain: false });
      await until(() => many.length === 50 && got.length === 1);
      assert.deepEqual(got, [bytes]);
      assert.deepEqual(
        many,
        Array.from({ length: 50 }, (_, i) => `open/many ${i}`),
      );
    });

    it('obeys wildcards', async () => {
      await using a = await connect();
      const one = await inbox(a.bus, 'open/+/leaf');
      const all = await inbox(a.bus, 'open/tree/#');
      for (const topic of ['open/tree', 'open/tree/leaf', 'open/tree/a/leaf', 'open/bush/leaf', 'open/leaf'])
        await a.bus.publish(topic, Buffer.from('x'), once);
      await until(() => new Set(all).size === 3 && new Set(one).size === 2);
      assert.deepEqual([...new Set(one)].sort(), ['open/bush/leaf x', 'open/tree/leaf x']);
      assert.deepEqual([...new Set(all)].sort(), ['open/tree x', 'open/tree/a/leaf x', 'open/tree/leaf x']);
    });

    it('gives each message of a shared subscription to one member', async () => {
      await using a = await connect();
      await using b = await connect();
      await using sender = await connect();
      const atA = await inbox(a.bus, '$share/group/open/task/+');
      const atB = await inbox(b.bus, '$share/group/open/task/+');
      for (let i = 0; i < 20; i++) await sender.bus.publish(`open/task/${i}`, Buffer.from('x'), once);
      await until(() => atA.length + atB.length >= 20);
      assert.equal(new Set([...atA, ...atB]).size, 20);
      assert.ok(atA.length > 0 && atB.length > 0, 'both get work');
    });

    it('keeps retained messages for those who come later, until an empty one', async () => {
      await using a = await connect();
      await a.bus.publish('open/status/1', Buffer.from('idle'), kept);
      await using b = await connect();
      const got = await inbox(b.bus, 'open/status/#');
      await until(() => got.length === 1);
      assert.deepEqual(got, ['open/status/1 idle']);
      await a.bus.publish('open/status/1', new Uint8Array(0), kept);
      await using c = await connect();
      const later = await inbox(c.bus, 'open/status/#');
      const marker = await inbox(c.bus, 'open/marker');
      await c.bus.publish('open/marker', Buffer.from('x'), once);
      await until(() => marker.length === 1);
      assert.deepEqual(later, []);
    });

    it('refuses to publish where this client may not write', async () => {
      await using a = await connect();
      await assert.rejects(a.bus.publish('closed/x', Buffer.from('x'), once), fault('BUS_REFUSED'));
      await a.bus.publish('open/x', Buffer.from('x'), once);
    });

    it('delivers nothing from where this client may not read, though the subscription is granted', async () => {
      await using a = await connect();
      const closed = await inbox(a.bus, 'closed/#');
      const everything = await inbox(a.bus, '#');
      await assert.rejects(a.bus.publish('closed/x', Buffer.from('x'), once), fault('BUS_REFUSED'));
      await a.bus.publish('open/after', Buffer.from('x'), once);
      await until(() => everything.includes('open/after x'));
      assert.deepEqual(closed, []);
    });

    it('fails at once while there is no connection, queues nothing, and comes back with its subscriptions', async () => {
      await using a = await connect();
      await using b = await connect();
      const got = await inbox(a.bus, 'open/news');
      rig.cut(a.clientId);
      await linkIs(a.bus, false);
      await assert.rejects(a.bus.publish('open/lost', Buffer.from('x'), once), fault('BUS_UNREACHABLE'));
      const meanwhile = await inbox(a.bus, 'open/meanwhile');
      rig.mend(a.clientId);
      await linkIs(a.bus, true);
      await b.bus.publish('open/news', Buffer.from('1'), once);
      await b.bus.publish('open/meanwhile', Buffer.from('2'), once);
      await until(() => got.length === 1 && meanwhile.length === 1);
      assert.deepEqual([...got, ...meanwhile], ['open/news 1', 'open/meanwhile 2']);
    });

    it('publishes the will of a client that is gone without a word, and none after a farewell', async () => {
      await using watcher = await connect();
      const wills = await inbox(watcher.bus, 'open/wills/+');
      const will = (id: string) => ({
        topic: `open/wills/${id}`,
        payload: Buffer.from('gone'),
        retain: false,
      });
      const polite = await connect({ clientId: 'polite', will: will('polite') });
      await polite.bus.close();
      const lost = await connect({ clientId: 'lost', will: will('lost') });
      rig.cut('lost');
      await until(() => wills.length > 0);
      await lost.bus.close();
      assert.deepEqual(wills, ['open/wills/lost gone']);
    });

    it('keeps what arrives for a persistent session while it is cut off', async () => {
      await using a = await connect({ clean: false, clientId: 'persistent' });
      await using b = await connect();
      const got = await inbox(a.bus, 'open/mail');
      rig.cut('persistent');
      await linkIs(a.bus, false);
      for (let i = 0; i < 3; i++) await b.bus.publish('open/mail', Buffer.from(String(i)), once);
      rig.mend('persistent');
      await until(() => new Set(got).size === 3);
      assert.deepEqual([...new Set(got)], ['open/mail 0', 'open/mail 1', 'open/mail 2']);
    });

    it('tells the link at once and at each change, and is closed for good', async () => {
      const { bus, clientId } = await connect();
      const links: boolean[] = [];
      bus.onLink((link) => links.push(link.up));
      assert.deepEqual(links, [true]);
      rig.cut(clientId);
      await linkIs(bus, false);
      rig.mend(clientId);
      await linkIs(bus, true);
      await bus.close();
      await bus.close();
      assert.equal(links.at(-1), false);
      await assert.rejects(bus.publish('open/x', Buffer.from('x'), once), fault('BUS_UNREACHABLE'));
    });
  });
}

/** Resolves when the link is up or down. */
export function linkIs(bus: Bus, up: boolean): Promise<Link> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the link is not ${up ? 'up' : 'down'}`)), DEADLINE_MS);
    bus.onLink((link) => {
      if (link.up !== up) return;
      clearTimeout(timer);
      resolve(link);
    });
  });
}

export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${condition}`);
    await sleep(5);
  }
}

export function fault(code: string): (error: unknown) => boolean {
  return (error) => isFault(error) && error.code === code;
}
