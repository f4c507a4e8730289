/** The real bus against a broker that breaks every rule of MQTT: nothing false is answered, nothing grows, all comes back. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openMqttBus } from '../../drivers/bus/mqtt.ts';
import { clientSecureContext } from '../../drivers/bus/secure-context.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { unbound } from '../../runtime/core/messages/exchange.ts';
import { eventsExchange } from '../../runtime/core/messages/exchanges.ts';
import type { Bus } from '../../runtime/core/ports.ts';
import { createRequester, type Requester } from '../../runtime/exchange/requester.ts';
import { serve } from '../../runtime/exchange/responder.ts';
import { createAuthority, type TestAuthority } from '../bus/certificates.ts';
import { linkIs, until } from '../contracts/bus.contract.ts';
import { hashOfText, OPERATION, STATION, signers, trusted } from '../core/samples.ts';
import { type Broker, openBroker } from './wire/broker.ts';
import { wireManners } from './wire/manners.ts';
import { PacketType } from './wire/packets.ts';

/** What a program may be told while nobody can be reached. */
const AWAY: readonly FaultCode[] = ['BACKEND_SILENT', 'BUS_UNREACHABLE'];
/** What one connection may take before it is left: what lies in the buffers of two kernels, and no more. */
const TAKEN_MAX = 32 * 1024 * 1024;
const QUESTIONS = 2;
const LOOK_MS = 20;
/** Long enough for both programs to have met a broker that they connect to. */
const MEETING_MS = 250;
const PATIENCE_MS = 10_000;

/** The two ends of the events' exchange on the real bus. */
interface Ends {
  readonly requester: Requester;
  readonly buses: readonly (Bus & AsyncDisposable)[];
}

describe('a bus whose broker', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hostile-'));
  let authority: TestAuthority;
  let broker: Broker;
  const held: Ends[] = [];
  const contexts = new Map<string, ReturnType<typeof clientSecureContext>>();

  before(async () => {
    authority = createAuthority(directory);
    broker = await openBroker({ authority: authority.authority, ...authority.issue('broker') });
    for (const name of [STATION, 'backend-1']) {
      const { certificate, key } = authority.issue(name);
      contexts.set(
        name,
        clientSecureContext({
          authorityFile: authority.authority,
          certificateFile: certificate,
          key: { kind: 'file', path: key },
        }),
      );
    }
  });
  after(async () => {
    for (const { buses } of held) for (const bus of buses) await bus.close();
    await broker[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const connect = (clientId: string): Promise<Bus & AsyncDisposable> =>
    openMqttBus({
      host: '127.0.0.1',
      port: broker.port,
      servername: 'broker.test',
      clientId,
      secureContext: contexts.get(clientId) ?? assert.fail(clientId),
      clean: true,
      sessionExpirySeconds: 60,
      keepaliveSeconds: 1,
      connectDeadlineMs: 150,
      retry: { firstMs: 10, maxMs: 40, refusedMs: 40 },
    });

  const open = async (): Promise<Ends> => {
    const buses = [await connect(STATION), await connect('backend-1')] as const;
    const log = createMemoryLog(1_000);
    const means = { clock: openSystemClock(), crypto: nodeCrypto, trusted, log };
    await serve(
      eventsExchange,
      { addressedAs: ['backend'], topic: {} },
      async ({ body }) => ({
        body: { head: { sequence: body.entries[0]?.sequence ?? -1, hash: body.entries[0]?.hash ?? '' } },
      }),
      { ...means, bus: buses[1], signer: signers.backend },
    );
    const requester = await createRequester(STATION, [eventsExchange], {
      ...means,
      bus: buses[0],
      entropy: createSimulatedEntropy(`wire ${held.length}`),
      signer: signers.station,
      failpoint: () => undefined,
    });
    const ends = { buses, requester };
    held.push(ends);
    for (const bus of buses) await linkIs(bus, true);
    return ends;
  };

  let asked = 0;
  /** Says something, and asks. Resolves with null for the right answer, else with the fault. */
  const ask = async ({ requester, buses }: Ends): Promise<FaultCode | null> => {
    const sequence = ++asked;
    const hash = hashOfText('an entry');
    try {
      // Requests need no PUBACK; what is said to everybody does.
      await buses[0]?.publish('holdfast/v1/evt/said', new Uint8Array(1), { qos: 1, retain: false });
      const { body } = await requester.ask(
        eventsExchange,
        {
          nest: 'a',
          to: 'backend',
          step: 0,
          binding: unbound,
          retry: { waitMs: 80, attemptsMax: 2 },
        },
        {
          journal: OPERATION,
          genesis: { journal: OPERATION, station: STATION, created: '2026-01-01T00:00:00.000Z' },
          previousHash: hash,
          entries: [{ sequence, text: 'an entry', hash }],
        },
      );
      assert.equal(body.head.sequence, sequence, 'the answer is to this question');
      return null;
    } catch (error) {
      assert.ok(isFault(error), String(error));
      return isFault(error.cause) ? error.cause.code : error.code;
    }
  };

  for (const { does, told, answers, starts, left, manner } of Object.values(wireManners))
    it(`${does}: nobody is told anything false, and all goes on when it behaves again`, async () => {
      broker.manner = null;
      const ends = await open();
      assert.equal(await ask(ends), null, 'an honest broker is one');
      broker.manner = manner;
      if (starts === true) broker.restart();
      if (starts === true) await sleep(MEETING_MS);
      const { connections } = broker;
      const outcomes: (FaultCode | null)[] = [];
      for (let i = 0; i < QUESTIONS; i++) {
        outcomes.push(await ask(ends));
        await sleep(LOOK_MS);
      }
      const allowed = [...AWAY, ...(told === undefined ? [] : [told])];
      for (const outcome of outcomes) if (outcome !== null) assert.ok(allowed.includes(outcome), outcome);
      if (told !== undefined) assert.ok(outcomes.includes(told), `${told} is told: ${outcomes}`);
      if (answers === true) assert.ok(outcomes.includes(null), `answers come: ${outcomes}`);
      else assert.ok(!outcomes.includes(null), 'it is hostile indeed');
      if (left === true) await until(() => broker.connections > connections);
      assert.ok(!broker.seen.has(PacketType.pubrec), 'nothing is taken that would have to be kept');
      broker.manner = null;
      const end = Date.now() + PATIENCE_MS;
      while ((await ask(ends)) !== null) {
        assert.ok(Date.now() < end, 'nobody is reached any more');
        await sleep(LOOK_MS);
      }
      assert.ok(broker.takenMax < TAKEN_MAX, `a connection took ${broker.takenMax} bytes`);
      for (const bus of ends.buses) await bus.close();
    });
});
