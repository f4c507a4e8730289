/** A simulated plant whose officers register operators, and what its tests do and read there. */
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import {
  type OperatorOrder,
  operatorOrderHash,
  operatorRemovalHash,
  registerOperatorInstruction,
  removeOperatorInstruction,
} from '../../runtime/core/messages/operator.ts';
import {
  showShiftInstruction,
  signInInstruction,
  signOutInstruction,
} from '../../runtime/core/messages/shift.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import type { WorldOptions } from '../../scripts/simulation/world-options.ts';
import { approve, quorum, trustedOfficers } from '../identity/officers.ts';
import { stationOf, until } from './by-hand.ts';

export const AUTHORITY = 'the simulation';
/** The same, as the station's own settings name it. */
export const UNATTENDED = 'unattended under authority of the simulation';
export const BADGE = '0004711';

export const plant = (seed: string, more: Partial<WorldOptions> = {}): Promise<World> =>
  createWorld({
    seed,
    stations: 1,
    units: 0,
    quota: 9,
    revokers: { quorum, keys: trustedOfficers },
    ...more,
  });

/** Time passes while a program works. */
export async function lasting<T>(world: World, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  await until(world, () => settled, 'an answer');
  return done;
}

export async function approvals(world: World, subject: string): Promise<string[]> {
  const now = world.clock.now();
  return [await approve('ada', 'operator', subject, now), await approve('bob', 'operator', subject, now)];
}

export function orderFor(badge: string, name: string): OperatorOrder {
  const madeAt = '2026-01-01T00:00:00.000Z';
  return { contract: 'holdfast/operator-order-1', name, badge, salt: '5a'.repeat(16), madeAt };
}

export async function registered(world: World, badge: string, name = 'Ada L.'): Promise<string> {
  const order = orderFor(badge, name);
  const by = await approvals(world, operatorOrderHash(order, nodeCrypto));
  const { backend } = world.instructions;
  const told = backend.instruct(registerOperatorInstruction, { order, approvals: by });
  return (await lasting(world, told)).pseudonym;
}

export async function removed(world: World, pseudonym: string, forget: boolean): Promise<void> {
  const by = await approvals(world, operatorRemovalHash({ pseudonym, forget }, nodeCrypto));
  const { backend } = world.instructions;
  await lasting(world, backend.instruct(removeOperatorInstruction, { pseudonym, forget, approvals: by }));
}

export const signIn = (world: World, badge: string) =>
  lasting(world, world.instructions.station.instruct(signInInstruction, { badge }));
export const signOut = (world: World) =>
  lasting(world, world.instructions.station.instruct(signOutInstruction, {}));
export const shown = (world: World) =>
  lasting(world, world.instructions.station.instruct(showShiftInstruction, {}));

export const refusedWith = (code: string) => (error: unknown) => isFault(error) && error.code === code;

export const left = (world: World): number =>
  world.stations.flatMap(({ gateLog }) => gateLog).filter(({ event }) => event === 'LEFT').length;

export async function makes(world: World, unit: number): Promise<void> {
  const before = left(world);
  world.stations[0]?.fixture.line.feed(1, unit);
  await until(world, () => left(world) > before, `unit ${unit}`);
}

interface Told {
  readonly kind: string;
  readonly operator: unknown;
}

/** What leaves and records say of who was in charge, in the order of the log. */
export async function toldOf(
  world: World,
): Promise<{ leaves: readonly Told[]; records: readonly unknown[] }> {
  const { leaves, records } = world.fleet.tables;
  return {
    leaves: leaves.group('').flatMap(({ entry }) => {
      const leaf = readLeaf(entry);
      return leaf === null || leaf.body.operator === undefined
        ? []
        : [{ kind: leaf.kind, operator: leaf.body.operator }];
    }),
    records: [...records.all()]
      .sort((a, b) => a.leafIndex - b.leafIndex)
      .map(({ record }) => (JSON.parse(Buffer.from(record).toString()) as { operator: unknown }).operator),
  };
}

/** All bytes that history keeps: journals, and every table whose rows are never deleted. */
export function history(world: World): string {
  const { operatorKeys: _, ...tables } = world.fleet.tables;
  const rows = Object.values(tables).flatMap((table) => ('all' in table ? [...table.all()] : []));
  const text = JSON.stringify(rows, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
  const disks = world.stations.flatMap(({ disk }) => [...disk.durable.values()]);
  return [text, ...disks.map((value) => Buffer.from(value).toString())].join('\n');
}

/** Sign-ins and sign-outs that the journal of the station holds, past fsync. */
export function shiftFacts(world: World): readonly Fact[] {
  const texts = [...stationOf(world, 1).disk.durable].filter(([key]) => key.startsWith('j!'));
  return texts
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => Buffer.from(value).toString())
    .map((text) => (JSON.parse(text.slice(0, text.lastIndexOf(' '))) as { fact: Fact }).fact)
    .filter(({ name }) => name === 'signed-in' || name === 'signed-out');
}
