/** What becomes of units on a simulated line whose chips have manners of their own. */
import assert from 'node:assert/strict';
import type { MannerChoice } from '../../drivers/card-reader/virtual-se/chip.ts';
import type { FaultCode } from '../../runtime/core/faults.ts';
import type { Lane } from '../../runtime/core/gate/release.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';

/** What became of the one unit of a line. */
export interface Fate {
  /** Null for a unit that is still in the nest. */
  readonly lane: Lane | null;
  readonly heldWith: readonly FaultCode[];
  readonly rejectedWith: FaultCode | null;
  /** Commands that its chip was sent, GET RESPONSE included. */
  readonly commands: number;
  readonly world: World;
}

/** Long enough for a hold that a person must end to be tried some times. */
const WATCHED_MS = 120_000;

/** @param cheap for what does not hang on real signatures */
export async function fateOf(manner?: MannerChoice, cheap = false): Promise<Fate> {
  let commands = 0;
  const world = await createWorld({
    seed: 'fates',
    units: 1,
    stations: 1,
    cheap,
    wire: () => {
      commands++;
    },
    ...(manner === undefined ? {} : { manners: { 1: manner } }),
  });
  await world.run(WATCHED_MS);
  const rejected = factsOf(world).find((fact) => fact.name === 'reject-intent');
  return {
    lane: lanesOf(world).get(1) ?? null,
    heldWith: heldWith(world),
    rejectedWith: rejected?.name === 'reject-intent' ? rejected.fault.code : null,
    commands,
    world,
  };
}

/** The codes of all holds on a line, in their order at each station. */
export function heldWith(world: World): readonly FaultCode[] {
  return factsOf(world).flatMap((fact) => (fact.name === 'held' ? [fact.fault.code] : []));
}

function factsOf(world: World): readonly Fact[] {
  return world.stations.flatMap(({ program }) => program.nests.flatMap((nest) => nest.view.facts));
}

/** The lanes by which units have left, by their number. */
export function lanesOf(world: World): ReadonlyMap<number, Lane> {
  const left = world.stations.flatMap((s) => s.gateLog).filter((line) => line.event === 'LEFT');
  return new Map(left.flatMap(({ unit, lane }) => (unit === null || lane === null ? [] : [[unit, lane]])));
}

export async function recordsOf(world: World): Promise<number> {
  return (await world.fleet.connect().transaction((tx) => tx.listRecords(100))).length;
}

/** Released once, with one record, with the fleet's keys alone on a chip that is SECURED. */
export async function assertReleased({ lane, world }: Fate, why?: string): Promise<void> {
  assert.equal(lane, 'good', why);
  assert.equal(await recordsOf(world), 1, why);
  const chip = world.chips.get(1)?.state;
  assert.deepEqual(
    chip?.keySets.map((set) => set.keyVersion),
    [0x31],
    why,
  );
  assert.equal(chip?.lifeCycle, 0x0f, why);
}
