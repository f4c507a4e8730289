/** What a test does with its own hands on a simulated line: carries units, and speaks as a station that is behind. */
import assert from 'node:assert/strict';
import type { z } from 'zod';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { type Binding, type ExchangeKind, unbound } from '../../runtime/core/messages/exchange.ts';
import { exchanges } from '../../runtime/core/messages/exchanges.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import { factOf } from '../../runtime/core/operation/receipt-judge.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import type { AppearanceRow, OperationRow } from '../../runtime/core/store/fleet.ts';
import { createRequester } from '../../runtime/exchange/requester.ts';
import type { SimulatedStation } from '../../scripts/simulation/station.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import type { WorldOptions } from '../../scripts/simulation/world-options.ts';

const RETRY = { waitMs: 1_000, attemptsMax: 2 };
/** Longest that a test waits for anything, simulated. */
const PATIENCE_MS = 120_000;

/** A request as a station sent it. */
export interface Sent {
  readonly topic: string;
  readonly operation: string | null;
  readonly epoch: number | null;
  readonly step: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A line, and every request that its stations make, as it is made. */
export async function watchedWorld(
  options: Omit<WorldOptions, 'tap'>,
): Promise<{ readonly world: World; readonly sent: readonly Sent[] }> {
  const sent: Sent[] = [];
  const tap = (topic: string, payload: Uint8Array): void => {
    if (!topic.includes('/req/')) return;
    const [, said = ''] = Buffer.from(payload).toString('latin1').split('.');
    const request = JSON.parse(Buffer.from(said, 'base64url').toString('utf8')) as Omit<Sent, 'topic'>;
    sent.push({ ...request, topic });
  };
  return { world: await createWorld({ ...options, tap }), sent };
}

/** Lets time pass until it is so. */
export async function until(world: World, isSo: () => boolean, what: string): Promise<void> {
  const end = world.clock.monotonicMs() + PATIENCE_MS;
  while (!isSo()) assert.ok(await world.clock.runNext(end), `in vain: ${what}`);
}

export async function pass(world: World, ms: number): Promise<void> {
  const end = world.clock.monotonicMs() + ms;
  while (await world.clock.runNext(end));
}

export function stationOf(world: World, number: number): SimulatedStation {
  return world.stations[number - 1] ?? assert.fail(`no station ${number}`);
}

export function factsOf(world: World, number: number): readonly Fact[] {
  return stationOf(world, number).program.nests.flatMap((nest) => nest.view.facts);
}

export function hasFact(world: World, number: number, name: Fact['name']): boolean {
  return factOf(factsOf(world, number), name) !== undefined;
}

/** Carries a unit out of the nest of one station, and into that of another when it is empty. */
export async function carry(world: World, unit: number, from: number, to: number): Promise<void> {
  assert.equal(stationOf(world, from).fixture.line.unit(), unit);
  stationOf(world, from).fixture.line.takeByHand();
  await pass(world, 1_000);
  await stationOf(world, to).fixture.line.putByHand(unit);
}

/** How often a unit has left, by lane: `good reject`. */
export function lanesOfUnit(world: World, unit: number): string {
  return world.stations
    .flatMap((station) => station.gateLog)
    .filter((line) => line.event === 'LEFT' && line.unit === unit)
    .map((line) => String(line.lane))
    .join(' ');
}

let asked = 0;

/** Speaks as a station, with its key, over a connection of its own; resolves with the refusal, or with the answer. */
export async function ask<Req extends z.ZodType, Ans extends z.ZodType>(
  world: World,
  number: number,
  kind: ExchangeKind<Req, Ans>,
  question: {
    readonly body: unknown;
    readonly binding?: Binding;
    readonly nest?: string;
    readonly step?: number;
    /** In the place of the station's key. */
    readonly signer?: Signer;
  },
): Promise<{ readonly refused: FaultCode | null; readonly answer: z.output<Ans> | null }> {
  const { name } = stationOf(world, number);
  const client = `${name}-again-${++asked}`;
  const may = { mayPublish: () => true, mayReceive: () => true };
  const bus = world.broker.connect({ clientId: client, clean: true, ...may });
  const making = createRequester(name, exchanges, {
    bus,
    clock: world.clock,
    entropy: createSimulatedEntropy(client),
    crypto: nodeCrypto,
    signer: question.signer ?? world.parties.stationSigners[number - 1] ?? assert.fail('no key'),
    trusted: world.parties.trusted,
    log: world.log,
    failpoint: () => undefined,
  });
  const { nest = 'a', step = 0, binding = unbound, body } = question;
  const gateway = kind.name.startsWith('dialogue');
  const to = kind.name === 'dialogue-continue' ? 'gateway-1' : gateway ? 'gateway' : 'backend';
  const asking = making.then((requester) =>
    requester.ask(
      kind,
      { nest, to, step, binding, retry: RETRY, topic: { instance: 'gateway-1' } },
      body as z.input<Req>,
    ),
  );
  let ended = false;
  const over = asking.then(
    (answered) => ({ refused: null, answer: answered.body }),
    (error: unknown) => {
      assert.ok(isFault(error), String(error));
      return { refused: error.code, answer: null };
    },
  );
  void over.finally(() => {
    ended = true;
  });
  await until(world, () => ended, kind.name);
  await bus.close();
  return over;
}

export function operationOf(world: World, eid: string): Promise<OperationRow | null> {
  return world.fleet.connect().transaction((tx) => tx.operationByEid(eid));
}

/** The appearances of an EID and of its operation; each is what a leaf of the log says. */
export async function appearancesOf(world: World, eid: string): Promise<readonly AppearanceRow[]> {
  return world.fleet.connect().transaction(async (tx) => {
    const known = await tx.operationByEid(eid);
    const rows = await tx.appearancesOf(eid, known?.operation ?? null, 100);
    for (const row of rows) {
      const leaf = readLeaf((await tx.leafByKey(row.key))?.entry ?? new Uint8Array(0));
      assert.deepEqual(leaf?.body, JSON.parse(Buffer.from(row.entry).toString('utf8')));
      assert.equal(leaf?.kind, 'appearance');
    }
    return rows;
  });
}

/** `clone UNIT_CLONED`, in their order. */
export async function historyOf(world: World, eid: string): Promise<readonly string[]> {
  return (await appearancesOf(world, eid)).map((row) => `${row.appearance} ${row.faultCode ?? 'resumed'}`);
}
