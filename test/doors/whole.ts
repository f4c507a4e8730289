/** What must hold when a line has had its misfortunes: nothing lost, nothing twice, nothing that only a programmer reads. */
import assert from 'node:assert/strict';
import { judge } from '../../scripts/kill/verdict.ts';
import { holdfast } from '../cli/support.ts';
import { assertNoTrace } from './refusal.ts';
import type { Rig } from './rig.ts';

export interface Outcomes {
  readonly released: readonly number[];
  /** Chips of another maker. */
  readonly foreign?: readonly number[];
}

/** Gate log, chips and fleet database agree about every unit; the log is whole. */
export async function assertWhole(rig: Rig, { released, foreign = [] }: Outcomes): Promise<void> {
  const outcome = (unit: number, scene: 'plain' | 'foreign-chip') => ({
    ...{ point: 'a door', unit, scene, reached: true, recoveryMs: 0 },
    lane: scene === 'plain' ? ('good' as const) : ('reject' as const),
  });
  const outcomes = [
    ...released.map((unit) => outcome(unit, 'plain')),
    ...foreign.map((unit) => outcome(unit, 'foreign-chip')),
  ];
  assert.deepEqual(await judge(rig.line, rig.station, outcomes, rig.gate), []);
  const lanes = rig.gate.filter(({ event, lane }) => event === 'LEFT' && lane === 'good');
  assert.deepEqual(
    lanes.map(({ unit }) => unit).sort((a, b) => Number(a) - Number(b)),
    [...released].sort((a, b) => a - b),
  );
  const audit = await holdfast(['audit', 'verify', '--dir', rig.places.root]);
  assert.equal(audit.code, 0, audit.err);
}

/** No frame of a stack, and no failure that nobody foresaw, in anything that any program said. */
export function assertCalm(rig: Rig): void {
  const logs = rig.logs();
  assert.ok(logs.some(({ name, text }) => name === 'station-1.log' && text.includes('"event":"unit-held"')));
  for (const { text } of logs) {
    assertNoTrace(text);
    assert.doesNotMatch(text, /UNEXPECTED/);
  }
}
