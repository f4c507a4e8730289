/** A hundred units at the edge of a quota, while programs and databases go down and come again. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openKernelEntropy } from '../../drivers/entropy/kernel.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import type { BackendPorts } from '../../runtime/backend/ports.ts';
import { reserveHandler } from '../../runtime/backend/reservation.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import type { GatewayLedger } from '../../runtime/core/store/ledger.ts';
import { uuidV4 } from '../../runtime/core/uuid.ts';
import { createParties, simulatedTicket } from '../../scripts/simulation/parties.ts';
import { backendSettings } from '../../scripts/simulation/settings.ts';
import { usualSupply } from '../../scripts/simulation/supply.ts';
import { identityOf, reportOf } from './attack.ts';

export const UNITS = 100;
export const QUOTA = 37;
const TRIES_MAX = 400;
const PAUSE_MS = 50;
const stations = Array.from({ length: UNITS }, (_, i) => `station-${i + 1}`);
export const clock = openSystemClock();
const parties = createParties(createSimulatedEntropy('quota'), stations, clock.now());

/** One life of a program; what it was asked is lost with it. */
export interface Life<Asked> {
  readonly asked: Asked;
  /** Rejects when the program dies. */
  readonly death: Promise<never>;
  die(): Promise<void>;
}

export type Answer = 'given' | 'QUOTA_EXHAUSTED';
export type Ask = (unit: number) => Promise<Answer>;

export function lifeOf<Asked>(asked: Asked, close: () => Promise<void>): Life<Asked> {
  let kill: (error: Error) => void = () => undefined;
  const death = new Promise<never>((_, reject) => {
    kill = reject;
  });
  death.catch(() => undefined); // Whoever has asked something waits for it too.
  return {
    asked,
    death,
    die: async () => {
      kill(new Dead());
      await close();
    },
  };
}

class Dead extends Error {}

/** Asks for every unit at the same time, at two programs; after each of `deaths` answers something dies and comes
 * again. Whoever got no answer asks again, as stations do. */
export async function rush(
  begin: () => Promise<Life<Ask>>,
  deaths: readonly number[],
  between: (death: number) => Promise<void> = async () => undefined,
): Promise<readonly Answer[]> {
  const lives = [await begun(begin), await begun(begin)];
  let answered = 0;
  const asking = Array.from({ length: UNITS }, async (_, i): Promise<Answer> => {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const life = lives[i % 2] ?? assert.fail('no program');
      try {
        const answer = await Promise.race([life.asked(i + 1), life.death]);
        answered += 1;
        return answer;
      } catch (error) {
        if (!(error instanceof Dead) && !isPassing(error)) throw error;
        await sleep(PAUSE_MS);
      }
    }
    return assert.fail(`unit ${i + 1} got no answer`);
  });
  const everything = Promise.all(asking);
  for (const [i, after] of deaths.entries()) {
    while (answered < after) await Promise.race([sleep(1), everything]);
    await lives[i % 2]?.die();
    await between(i);
    lives[i % 2] = await begun(begin);
  }
  const answers = await everything;
  for (const life of lives) await life.die();
  return answers;
}

/** A program that cannot start is started again. */
async function begun<T>(begin: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    try {
      return await begin();
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }
  return assert.fail('it does not start');
}

function isPassing(error: unknown): boolean {
  return isFault(error) && (error.code === 'STORE_UNAVAILABLE' || error.code === 'LEDGER_UNAVAILABLE');
}

/** What a backend needs to reserve. */
export function backendPorts(store: FleetStore): BackendPorts {
  return {
    clock,
    entropy: openKernelEntropy(),
    crypto: nodeCrypto,
    bus: undefined as never,
    instructions: undefined as never,
    signer: parties.backendSigner,
    logSigner: parties.logSigner,
    store,
    heads: createInMemoryHead(),
    controllers: stations.map((station, i) => ({
      name: `gate-${i + 1}`,
      station,
      key: parties.tagKeys[i] ?? new Uint8Array(16),
    })),
    trusted: parties.trusted,
    log: createMemoryLog(),
  };
}

/** The same for a unit as often as it is asked for, from a station of its own. */
export async function requestOf(unit: number): Promise<Parameters<ReturnType<typeof reserveHandler>>[0]> {
  ticket ??= simulatedTicket(parties, { stations, quota: QUOTA, nowMs: clock.now(), supply: usualSupply });
  return {
    ...{ id: attempt(unit), to: 'backend', step: 0, sentAt: '', operation: null, epoch: null },
    station: `station-${unit}`,
    nest: 'a',
    body: {
      attempt: attempt(unit),
      ticket: await ticket,
      identity: identityOf(unit),
      report: reportOf({ parties }, unit, 1),
    },
  };
}
let ticket: Promise<string> | undefined;

/** A backend that reserves, as far as it takes part in that. */
export async function backendOn(store: FleetStore, close: () => Promise<void>): Promise<Life<Ask>> {
  const ports = backendPorts(store);
  const sequencer = new Sequencer(ports, 4096);
  await sequencer.load();
  const reserve = reserveHandler(backendSettings(stations, 'controller'), ports, sequencer);
  return lifeOf(async (unit) => answerOf(reserve(await requestOf(unit), { jws: '', hash: '' })), close);
}

/** A gateway that admits. */
export function gatewayOn(ledger: GatewayLedger, close: () => Promise<void>): Life<Ask> {
  return lifeOf(async (unit) => {
    const admission = await ledger.admit(
      {
        dialogue: attempt(unit),
        operation: attempt(unit),
        epoch: 1,
        eid: eidOfIndex(unit),
        seFingerprint: `chip ${unit}`,
        ticket: 'SIM-1',
        station: `station-${unit}`,
        instance: 'gateway-1',
        openedAt: '2026-11-22T10:00:00.000Z',
      },
      { quota: QUOTA, attemptsMax: 10 },
    );
    if (admission.admitted) return 'given';
    assert.equal(admission.why, 'quota');
    return 'QUOTA_EXHAUSTED';
  }, close);
}

async function answerOf(reserving: Promise<unknown>): Promise<Answer> {
  try {
    await reserving;
    return 'given';
  } catch (error) {
    if (isFault(error) && error.code === 'QUOTA_EXHAUSTED') return 'QUOTA_EXHAUSTED';
    throw error;
  }
}

/** A station repeats one try under one name. */
function attempt(unit: number): string {
  return uuidV4(createSimulatedEntropy(`try ${unit}`).bytes(16));
}

export function givenOf(answers: readonly Answer[]): number {
  return answers.filter((answer) => answer === 'given').length;
}
