/** What many nights came to: sums, and what they met at all. */
import type { NightReport } from './night.ts';
import type { Violation } from './rules/rule.ts';
import type { MishapKind, Story } from './story.ts';

export interface Failure {
  readonly story: Story;
  readonly violations: readonly Violation[];
}

export interface Tally {
  readonly nights: number;
  readonly units: number;
  readonly released: number;
  readonly rejected: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly starts: number;
  readonly struck: Readonly<Partial<Record<MishapKind, number>>>;
  readonly crossed: readonly string[];
  readonly died: readonly string[];
  readonly gateWords: readonly string[];
  /** Nights in which each code held a unit or ended a program. */
  readonly faults: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
}

export const nothing: Tally = {
  nights: 0,
  units: 0,
  released: 0,
  rejected: 0,
  simulatedMs: 0,
  events: 0,
  starts: 0,
  struck: {},
  crossed: [],
  died: [],
  gateWords: [],
  faults: {},
  failures: [],
};

export function tallyOf(story: Story, report: NightReport): Tally {
  const { violations, units, released, rejected, simulatedMs, events, starts, struck } = report;
  return {
    nights: 1,
    ...{ units, released, rejected, simulatedMs, events, starts, struck },
    crossed: report.crossed,
    died: report.died,
    gateWords: report.gateWords,
    faults: Object.fromEntries(report.faults.map((code) => [code, 1])),
    failures: violations.length === 0 ? [] : [{ story, violations }],
  };
}

export function added(a: Tally, b: Tally): Tally {
  return {
    nights: a.nights + b.nights,
    units: a.units + b.units,
    released: a.released + b.released,
    rejected: a.rejected + b.rejected,
    simulatedMs: a.simulatedMs + b.simulatedMs,
    events: a.events + b.events,
    starts: a.starts + b.starts,
    struck: sums(a.struck, b.struck),
    crossed: union(a.crossed, b.crossed),
    died: union(a.died, b.died),
    gateWords: union(a.gateWords, b.gateWords),
    faults: sums(a.faults, b.faults) as Tally['faults'],
    failures: [...a.failures, ...b.failures],
  };
}

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])].sort();
}

function sums<Key extends string>(
  a: Readonly<Partial<Record<Key, number>>>,
  b: Readonly<Partial<Record<Key, number>>>,
): Readonly<Partial<Record<Key, number>>> {
  const sum: Partial<Record<Key, number>> = { ...a };
  for (const [key, count] of Object.entries(b) as [Key, number][]) sum[key] = (sum[key] ?? 0) + count;
  return sum;
}
