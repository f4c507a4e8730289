/**
 * A unit that does not pass its open gate. Each closing is the end of its arrival, so it is a new one every time, with a
 * new visit, epoch and release: without a bound that goes on for ever, and nobody is told.
 */
import { Fault } from '../core/faults.ts';
import { GATE_TRIES_MAX } from '../core/operation/deadlines.ts';
import type { Fact } from '../core/operation/facts.ts';
import { visitOf } from '../core/operation/gate.ts';

/**
 * After so many closings one after the other the unit is held, once in each visit: as long as somebody must act there
 * is a try after each hold.
 * @param facts of a nest, with the visit in progress
 * @throws Fault GATE_PASSAGE_BLOCKED
 */
export function demandPassage(facts: readonly Fact[]): void {
  const visit = visitOf(facts);
  if (visit.some((fact) => fact.name === 'held' && fact.fault.code === 'GATE_PASSAGE_BLOCKED')) return;
  const tries = closingsBefore(facts.slice(0, facts.length - visit.length));
  if (tries >= GATE_TRIES_MAX) throw new Fault('GATE_PASSAGE_BLOCKED', { tries });
}

/** How many of the last visits, one after the other, ended because their gate closed by its own time-out. */
function closingsBefore(facts: readonly Fact[]): number {
  const ends = facts.filter(
    ({ name }) => name === 'released' || name === 'diverted' || name === 'interrupted',
  );
  const others = ends.findLastIndex(
    (fact) => fact.name !== 'interrupted' || fact.report.reason !== 'timed-out',
  );
  return ends.length - 1 - others;
}
