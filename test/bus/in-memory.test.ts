import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { calm, createInMemoryBroker, type Weather } from '../../drivers/bus/in-memory.ts';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { busContract, fault } from '../contracts/bus.contract.ts';

busContract('in memory', async () => {
  const broker = createInMemoryBroker({
    clock: openSystemClock(),
    entropy: createSimulatedEntropy('bus'),
    weather: calm,
  });
  const mayUse = (topic: string): boolean => topic.startsWith('open/');
  return {
    connect: async (options) => broker.connect({ ...options, mayPublish: mayUse, mayReceive: mayUse }),
    cut: (clientId) => broker.cut(clientId),
    mend: (clientId) => broker.mend(clientId),
    [Symbol.asyncDispose]: async () => undefined,
  };
});

const always = (): boolean => true;
const once = { qos: 1, retain: false } as const;

/** What a receiver gets of 1000 numbered messages in such weather. */
async function receive(seed: string, weather: Weather): Promise<number[]> {
  const clock = createSimulatedClock(0);
  const broker = createInMemoryBroker({ clock, entropy: createSimulatedEntropy(seed), weather });
  const [sender, receiver] = ['a', 'b'].map((clientId) =>
    broker.connect({ clientId, mayPublish: always, mayReceive: always, clean: true }),
  );
  const got: number[] = [];
  await receiver?.subscribe('t', (_topic, payload) => got.push(Buffer.from(payload).readUInt16BE()));
  const published = Array.from({ length: 1000 }, (_, i) =>
    sender?.publish('t', Buffer.from([i >> 8, i & 0xff]), once),
  );
  while (await clock.runNext());
  await Promise.all(published);
  return got;
}

describe('the simulated broker', () => {
  const stormy: Weather = { lossRate: 0.1, duplicateRate: 0.1, delayMs: { min: 1, max: 500 } };

  it('loses, repeats and reorders as its weather says, and answers the publisher all the same', async () => {
    const got = await receive('storm', stormy);
    const distinct = new Set(got).size;
    // Two ways of 0.9 each leave 810 of 1000; the binomial's standard deviation is 12.
    assert.ok(distinct > 740 && distinct < 880, String(distinct));
    assert.ok(got.length > distinct + 50, 'some come twice');
    assert.ok(
      got.some((number, i) => number < (got[i - 1] ?? 0)),
      'some overtake',
    );
  });

  it('does the same for the same seed, and something else for another', async () => {
    assert.deepEqual(await receive('one', stormy), await receive('one', stormy));
    assert.notDeepEqual(await receive('one', stormy), await receive('two', stormy));
  });

  it('keeps order and loses nothing when it is calm', async () => {
    assert.deepEqual(
      await receive('calm', calm),
      Array.from({ length: 1000 }, (_, i) => i),
    );
  });

  it('lets messages vanish on one way of an unnoticed partition', async () => {
    const clock = createSimulatedClock(0);
    const broker = createInMemoryBroker({ clock, entropy: createSimulatedEntropy('x'), weather: calm });
    const bus = broker.connect({ clientId: 'a', mayPublish: always, mayReceive: always, clean: true });
    const got: string[] = [];
    await bus.subscribe('t', (_topic, payload) => got.push(Buffer.from(payload).toString()));
    const say = async (word: string) => {
      const published = bus.publish('t', Buffer.from(word), once);
      while (await clock.runNext());
      await published;
    };
    broker.isolate('a', { outgoing: true, incoming: false });
    await say('out');
    broker.isolate('a', { outgoing: false, incoming: true });
    await say('in');
    broker.isolate('a', { outgoing: false, incoming: false });
    await say('whole');
    assert.deepEqual(got, ['whole']);
  });

  it('gives a client that comes anew what waited for its persistent session', async () => {
    const clock = createSimulatedClock(0);
    const broker = createInMemoryBroker({ clock, entropy: createSimulatedEntropy('x'), weather: calm });
    const connect = (clientId: string) =>
      broker.connect({ clientId, mayPublish: always, mayReceive: always, clean: false });
    const sender = connect('sender');
    const first = connect('station');
    await first.subscribe('t', () => undefined);
    await first.close();
    await assert.rejects(first.publish('t', Buffer.from('x'), once), fault('BUS_UNREACHABLE'));
    void sender.publish('t', Buffer.from('waited'), once);
    while (await clock.runNext());
    const got: string[] = [];
    const again = connect('station');
    await again.subscribe('t', (_topic, payload) => got.push(Buffer.from(payload).toString()));
    while (await clock.runNext());
    assert.deepEqual(got, ['waited']);
  });
});
