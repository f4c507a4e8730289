/** A door: one code of the catalogue and the cause that raises it, in a plant or at a driver, or where that is done. */
import assert from 'node:assert/strict';
import type { InMemoryBroker } from '../../drivers/bus/in-memory.ts';
import { Fault, type FaultCode, isFault } from '../../runtime/core/faults.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import type { Jig } from '../../runtime/core/ports.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import type { WorldOptions } from '../../scripts/simulation/world-options.ts';

/** Another claim of the project, by its file and its title as it is written there. */
export interface Elsewhere {
  readonly file: string;
  readonly claim: string;
}

/** Raises the fault by its real cause; resolves with what the unit was held or refused with. */
export type Raise = () => Promise<Fault>;

/** What is done, as a technician would tell it, and how. */
export type Door = readonly [cause: string, by: Raise | Elsewhere];

export type Doors = Readonly<Partial<Record<FaultCode, Door>>>;

/** `file` below `test`, without its ending. */
export function elsewhere(file: string, claim: string): Elsewhere {
  return { file: `test/${file}.ts`, claim };
}

/** Longest that a simulated unit is watched. */
const WATCHED_MS = 60_000;

/** The first fault that holds or rejects a unit of a line, with its context. */
export async function firstFault(world: World, code?: FaultCode): Promise<Fault> {
  const end = world.clock.monotonicMs() + WATCHED_MS;
  for (;;) {
    const found = faultsOf(world).find((fault) => code === undefined || fault.code === code);
    if (found !== undefined) return found;
    if (!(await world.clock.runNext(end))) break;
  }
  return assert.fail(
    `nothing but ${faultsOf(world)
      .map((fault) => fault.code)
      .join(' ')}`,
  );
}

function faultsOf(world: World): readonly Fault[] {
  const facts: readonly Fact[] = world.stations.flatMap(({ program }) =>
    program.nests.flatMap((nest) => nest.view.facts),
  );
  return facts.flatMap((fact) =>
    fact.name === 'held' || fact.name === 'reject-intent'
      ? [new Fault(fact.fault.code, fact.fault.context)]
      : [],
  );
}

/** A line of one unit with something wrong, and what its unit is held or rejected with. */
export function onLine(
  wrong: Partial<WorldOptions>,
  befalls: (world: World) => void | Promise<void> = () => undefined,
  code?: FaultCode,
): Raise {
  return async () => {
    const world = await createWorld({ seed: 'doors', units: 1, stations: 1, ...wrong });
    await befalls(world);
    return firstFault(world, code);
  };
}

/** Something befalls the broker's side of a line. */
export function onBroker(befalls: (broker: InMemoryBroker) => void): Raise {
  return onLine({}, ({ broker }) => befalls(broker));
}

/** Between a station and its jig. */
export function onJig(change: (jig: Jig) => Partial<Jig>): Raise {
  return onLine({ betweenJig: (jig) => withJig(jig, change(jig)) });
}

/** The same jig, with some calls changed. */
export function withJig(jig: Jig, changed: Partial<Jig>): Jig {
  return {
    report: (nest) => jig.report(nest),
    clamp: (nest, position) => jig.clamp(nest, position),
    open: (release) => jig.open(release),
    lamp: (nest, lamp) => jig.lamp(nest, lamp),
    onEvent: (handler) => jig.onEvent(handler),
    close: () => jig.close(),
    ...changed,
  };
}

/** What a call fails with. */
export async function refusalOf(work: () => unknown): Promise<Fault> {
  try {
    await work();
  } catch (error) {
    assert.ok(isFault(error), String(error));
    return error;
  }
  return assert.fail('nothing was refused');
}
