/** What held a unit on its present visit, and how long it waits before the next try. */
import { Fault } from '../core/faults.ts';
import { resumption, resumptionDelayMs } from '../core/operation/deadlines.ts';
import type { Fact } from '../core/operation/facts.ts';
import { visitOf } from '../core/operation/gate.ts';

/** What held this unit before, for its record; when, is in the journal that is streamed upward. */
export function holdsOf(facts: readonly Fact[]) {
  return visitOf(facts)
    .slice(-64)
    .flatMap((fact) =>
      fact.name === 'held' ? [{ code: fact.fault.code, context: { ...fact.fault.context } }] : [],
    );
}

/** Grows with each hold of this visit; the longest where a person must act. */
export function holdDelayMs(facts: readonly Fact[]): number {
  const holds = visitOf(facts).filter((fact) => fact.name === 'held');
  const last = holds.at(-1);
  const person = last?.name === 'held' && new Fault(last.fault.code).definition.disposition === 'hold';
  return person ? resumption.maxMs : resumptionDelayMs(holds.length - 1);
}
