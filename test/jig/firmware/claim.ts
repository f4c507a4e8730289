/** For tests: what a claim about the firmware is, and what several claims begin and end with. */
import assert from 'node:assert/strict';
import type { Reason } from '../../../runtime/core/gate/release.ts';
import { isGenuine, releaseFor, type Stand, startStand } from './stand.ts';

/** Fails when a build of the firmware, as Intel HEX, does not do what it should. */
export type Claim = (hex: string) => void;

/** A gate that stands open for a unit that does not leave. */
export function opened(hex: string, counter = 5): { readonly stand: Stand; readonly arrival: number } {
  const stand = startStand(hex);
  const arrival = stand.arrive();
  const answer = stand.open(releaseFor({ arrival, counter }));
  assert.deepEqual([answer.kind, stand.isOpen()], ['status', true]);
  return { stand, arrival };
}

/** The gate is shut, for this reason, and the unit that is still there has another name. */
export function isShut({ stand, arrival }: ReturnType<typeof opened>, reason: Reason): void {
  assert.equal(stand.isOpen(), false);
  const closed = stand.reports().find(({ kind }) => kind === 'closed');
  assert.deepEqual([closed?.reason, closed && isGenuine(closed)], [reason, true]);
  assert.notEqual(stand.status().arrival, arrival);
  assert.equal(stand.openings.length, 1);
}

export function refuses(stand: Stand, release: Parameters<Stand['open']>[0], reason: Reason): void {
  const { kind, reason: said } = stand.open(release);
  assert.deepEqual([kind, said], ['refused', reason]);
}
