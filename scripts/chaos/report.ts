/** What a run has to say: rounds, misfortunes by kind, units, recovery times; and what it failed to try. */
import type { Percentiles } from '../laboratory/tally.ts';
import type { Strike } from './schedule.ts';

export interface RoundOutcome {
  readonly number: number;
  readonly strikes: readonly StrikeNote[];
  /** Sentences; empty for a round that held. */
  readonly problems: readonly string[];
  /** From the last strike or restart until everything had left. */
  readonly calmMs: number;
  readonly wallMs: number;
}

export interface StrikeNote {
  readonly kind: string;
  readonly afterMs: number;
  readonly together: boolean;
}

export interface ChaosReport {
  readonly seed: string;
  readonly asked: number;
  readonly outcomes: readonly RoundOutcome[];
  readonly units: { readonly fed: number; readonly left: number; readonly rejected: number };
  /** After SIGKILL, until ready again; by part. */
  readonly recoveriesMs: Readonly<Record<string, Percentiles & { readonly kills: number }>>;
  readonly calmMs: Percentiles;
  readonly wallSeconds: number;
}

export const noteOf = ({ nemesis, afterMs, together }: Strike): StrikeNote => ({
  kind: nemesis.kind,
  afterMs,
  together,
});

/** How often each kind struck, most often first. */
export function strikesByKind({ outcomes }: ChaosReport): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { kind } of outcomes.flatMap(({ strikes }) => strikes))
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return new Map([...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)));
}

/** Everything that is wrong with the run, each with the round it happened in. */
export function problemsOf(report: ChaosReport): readonly string[] {
  const { outcomes, asked, units } = report;
  return [
    ...outcomes.flatMap(({ number, problems }) => problems.map((problem) => `round ${number}: ${problem}`)),
    ...(outcomes.length < asked ? [`${asked - outcomes.length} rounds were not run`] : []),
    ...(units.left < units.fed ? [`${units.fed - units.left} units never left`] : []),
    ...(units.fed < 4 * outcomes.length ? [`${units.fed} units are too few`] : []),
  ];
}

/** For people: a line for each round. */
export function roundLine({ number, strikes, problems, calmMs, wallMs }: RoundOutcome): string {
  const what = strikes.map(
    ({ kind, afterMs, together }) => `${together ? 'with ' : ''}${kind} at ${afterMs} ms`,
  );
  const held = problems.length === 0 ? '' : `  ✗ ${problems.join('; ')}`;
  return `${String(number).padStart(4)}  ${what.join(', ').padEnd(72)} calm after ${calmMs} ms, ${wallMs} ms${held}`;
}

export function summaryLines(report: ChaosReport): readonly string[] {
  const { outcomes, units, recoveriesMs, calmMs, wallSeconds } = report;
  const kinds = [...strikesByKind(report)].map(([kind, count]) => `${count} ${kind}`);
  return [
    `${outcomes.length} rounds in ${wallSeconds} s; ${units.left} of ${units.fed} units left, ${units.rejected} of them foreign`,
    `${kinds.length} kinds of misfortune: ${kinds.join(', ')}`,
    `calm after the last strike or restart: p50 ${calmMs.p50} ms, p99 ${calmMs.p99} ms`,
    ...Object.entries(recoveriesMs)
      .filter(([, { kills }]) => kills > 0)
      .map(
        ([part, { kills, p50, p99 }]) =>
          `${part}: ready again after ${kills} kills, p50 ${p50} ms, p99 ${p99} ms`,
      ),
  ];
}
