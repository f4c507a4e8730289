/** What may happen to a unit in a nest, and the fact that each happening leaves in the journal. */
import type { Fault } from '../faults.ts';
import { noteOf } from '../faults.ts';
import type { ControllerReport, Release } from '../gate/release.ts';
import type { CardIdentity, Fact } from './facts.ts';
import type { Trigger } from './transitions.ts';

export type Happening =
  | { readonly on: 'unit-arrived'; readonly report: ControllerReport }
  | { readonly on: 'clamped' }
  | { readonly on: 'identified'; readonly identity: CardIdentity }
  | { readonly on: 'reserved'; readonly receipt: string }
  | { readonly on: 'list-issued'; readonly step: string; readonly listHash: string }
  | { readonly on: 'confirmed'; readonly receipt: string }
  | { readonly on: 'registered'; readonly receipt: string }
  | { readonly on: 'permitted'; readonly release: Release }
  | { readonly on: 'unit-left'; readonly report: ControllerReport }
  | { readonly on: 'condemned'; readonly fault: Fault; readonly verdict: string | null }
  | { readonly on: 'reject-registered'; readonly receipt: string }
  | { readonly on: 'unit-diverted'; readonly report: ControllerReport }
  | { readonly on: 'fault'; readonly fault: Fault }
  | { readonly on: 'resume-due' }
  | { readonly on: 'arrival-ended'; readonly report: ControllerReport };

type Unnamed = Happening['on'] extends Trigger ? true : never;
/** Every happening is a trigger of the table; this line does not compile otherwise. */
export const happeningsAreTriggers: Unnamed = true;

/** The fact of a happening, of the visit it belongs to. */
export function factOfHappening(
  what: Happening,
  visit: { readonly nest: string; readonly visit: string },
): Fact {
  switch (what.on) {
    case 'unit-arrived':
      return { ...visit, name: 'arrived', arrival: what.report.arrival, report: what.report };
    case 'clamped':
      return { ...visit, name: 'clamped' };
    case 'identified':
      return { ...visit, name: 'identified', identity: what.identity };
    case 'reserved':
      return { ...visit, name: 'reserved', receipt: what.receipt };
    case 'list-issued':
      return { ...visit, name: 'intent', step: what.step, listHash: what.listHash };
    case 'confirmed':
      return { ...visit, name: 'confirmed', receipt: what.receipt };
    case 'registered':
      return { ...visit, name: 'registered', receipt: what.receipt };
    case 'permitted':
      return { ...visit, name: 'release-intent', release: what.release };
    case 'unit-left':
      return { ...visit, name: 'released', report: what.report };
    case 'condemned':
      return { ...visit, name: 'reject-intent', fault: noteOf(what.fault), verdict: what.verdict };
    case 'reject-registered':
      return { ...visit, name: 'reject-registered', receipt: what.receipt };
    case 'unit-diverted':
      return { ...visit, name: 'diverted', report: what.report };
    case 'fault':
      return { ...visit, name: 'held', fault: noteOf(what.fault) };
    case 'resume-due':
      return { ...visit, name: 'resumed' };
    case 'arrival-ended':
      return { ...visit, name: 'interrupted', report: what.report };
  }
}

/** What a report of the gate controller means for a nest whose visit in progress has `arrival`; null when vacant. */
export function happeningsOf(report: ControllerReport, arrival: number | null): readonly Happening[] {
  const arrived: readonly Happening[] = report.arrival === 0 ? [] : [{ on: 'unit-arrived', report }];
  if (arrival === null) return arrived;
  if (report.arrival === arrival) return [];
  if (report.left.arrival === arrival && report.left.lane === 'good')
    return [{ on: 'unit-left', report }, ...arrived];
  if (report.left.arrival === arrival) return [{ on: 'unit-diverted', report }, ...arrived];
  return [{ on: 'arrival-ended', report }, ...arrived];
}
