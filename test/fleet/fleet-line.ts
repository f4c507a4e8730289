/** A simulated line whose units have had what may happen to units, and a desk at which its fleet is asked. */
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import {
  executeRevocationInstruction,
  planRevocationInstruction,
} from '../../runtime/core/messages/revocation.ts';
import type { Aim } from '../../runtime/core/pki/revocation-plan.ts';
import { saidIn } from '../../scripts/fleet/oracle.ts';
import type { World } from '../../scripts/simulation/world.ts';
import type { WorldOptions } from '../../scripts/simulation/world-options.ts';
import { type Desk, openDesk } from '../pki/command.ts';
import { approvalOf, officers, quorum } from '../pki/officers.ts';
import { hasFact, stationOf, until, watchedWorld } from '../simulation/by-hand.ts';

/** Carried from station 1 to station 2 in mid-work. */
export const MOVED = eidOfIndex(1);
/** Its chip is rejected after keys were injected. */
export const REJECTED = eidOfIndex(4);
/** Its certificate is revoked in the end. */
export const REVOKED = eidOfIndex(2);

export const UNITS = 5;

/** A line on which nothing has happened yet. */
export async function plainLine(
  options: Pick<WorldOptions, 'stations' | 'units' | 'manners'>,
  required = quorum.required,
): Promise<World> {
  const publisher = { publish: async () => undefined };
  const revocation = { quorum: { ...quorum, required }, officers, publisher };
  return (await watchedWorld({ seed: 'lived', revocation, ...options })).world;
}

export async function livedLine(): Promise<World> {
  const world = await plainLine({ stations: 2, units: UNITS, manners: { 4: { name: 'wrong-dek' } } });
  await until(world, () => hasFact(world, 1, 'intent'), 'keys are sent');
  stationOf(world, 1).fixture.line.takeByHand();
  await world.run(600_000);
  await stationOf(world, 2).fixture.line.putByHand(1);
  await world.run(600_000);
  return world;
}

/** The simulated stores answer when the clock goes on. */
export async function during<T>(world: World, work: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  work.then(end, end);
  for (let turns = 0; !over && turns < 10_000; turns++) {
    await new Promise(setImmediate);
    if (!over) await world.clock.runNext(world.clock.monotonicMs() + 1_000);
  }
  return work;
}

/** Planned, approved and executed. */
export async function revoke(world: World, aim: Pick<Aim, 'kind' | 'value'>): Promise<void> {
  const { backend } = world.instructions;
  const asked = { aim: { ...aim, from: null, to: null }, way: 'auto', reason: 'keyCompromise' } as const;
  const plan = await during(world, backend.instruct(planRevocationInstruction, asked));
  const approvals = await Promise.all(
    ['ada', 'bob'].map((name) => approvalOf(name, plan, world.clock.now())),
  );
  await during(world, backend.instruct(executeRevocationInstruction, { plan, approvals }));
}

export function deskOf(world: World): Desk {
  return openDesk({
    nowMs: () => world.clock.now(),
    fleet: world.fleet.connect(),
    during: (work) => during(world, work),
    doors: { 'backend.socket': world.instructions.backend },
  });
}

/** Every leaf as the oracle reads it. */
export function leavesIn({ fleet }: World): ReturnType<typeof saidIn>[] {
  return [...fleet.tables.leaves.all()]
    .sort((a, b) => a.index - b.index)
    .map(({ index, entry }) => saidIn(index, entry));
}
