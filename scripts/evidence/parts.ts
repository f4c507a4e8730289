/** Every figure of test/EVIDENCE.md: the command that makes it, and the sentence or table that it becomes. */

import { percentiles } from '../laboratory/tally.ts';

/** What a command printed as JSON; each part knows its own. */
// biome-ignore lint/suspicious/noExplicitAny: every part reads the report of another command
type Report = any;

export interface Part {
  readonly name: string;
  readonly title: string;
  /** Arguments of `node`, below `dist`. */
  readonly command: readonly string[];
  /** The same on a small range: what the test runs. Null for what takes too long, or machines of its own. */
  readonly small: readonly string[] | null;
  /** As people type it. */
  readonly typed: string;
  /** Lines of Markdown. */
  readonly text: (report: Report) => readonly string[];
}

const n = (value: number): string => Math.round(value).toLocaleString('en-US');
const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${n(count)}`)
    .join(', ');

const nightText = (tally: Report): readonly string[] => [
  `${n(tally.nights)} nights, ${n(tally.simulatedMs / 3_600_000)} simulated hours, ${n(tally.units)} units, ${n(tally.events)} events, ${n(tally.starts)} starts of programs in ${n(tally.seconds)} s.`,
  `Rules broken in **${n(tally.failures.length)}** nights${tally.vacuous.length > 0 ? `; not met: ${tally.vacuous.join('; ')}` : ''}.`,
  '',
  `Mishaps by kind: ${listed(tally.struck)}.`,
  '',
  `Calls of ports at which a program died: ${n(tally.died.length)} of ${n(tally.crossed.length)} that were crossed.`,
];

export const parts: readonly Part[] = [
  {
    name: 'nights',
    title: 'Nights of a simulated plant',
    command: ['scripts/simulate.js', '--seeds', '1..2000', '--json'],
    small: ['scripts/simulate.js', '--seeds', '1..6', '--json'],
    typed: 'npm run simulate -- --seeds 1..2000',
    text: nightText,
  },
  {
    name: 'sweep',
    title: 'One mishap at every call of every port',
    command: ['scripts/simulate.js', '--sweep', '--json'],
    small: null,
    typed: 'npm run simulate -- --sweep',
    text: nightText,
  },
  {
    name: 'mutants',
    title: 'Rules taken away from the programs',
    command: ['scripts/mutants.js', '--nights', '320', '--json'],
    small: null,
    typed: 'npm run mutants -- --nights 320',
    text: (mutants) => [
      `${mutants.filter((m: Report) => m.killed !== null).length} of ${mutants.length} mutants killed.`,
      '',
      '| It | told by | after nights |',
      '| --- | --- | --- |',
      ...mutants.map(
        (m: Report) =>
          `| ${m.does} | ${m.killed === null ? `alive: ${m.survives ?? 'in these nights, and should not be'}` : m.killed.rule} | ${m.killed === null ? '' : n(m.nights)} |`,
      ),
    ],
  },
  {
    name: 'model',
    title: 'The model of the protocol',
    command: ['scripts/model.js', '--json'],
    small: null,
    typed: 'npm run model',
    text: ({ runs, mutants }) => [
      '| units, nests, faults | states | transitions | violated |',
      '| --- | --- | --- | --- |',
      ...runs.map(
        (r: Report) =>
          `| ${r.units}, ${r.nests}, ${r.faults}${r.live ? ', liveness' : ''} | ${n(r.states)} | ${n(r.transitions)} | ${r.violated ?? (r.complete ? 'nothing' : 'not ended')} |`,
      ),
      ...(mutants.length === 0
        ? []
        : [
            '',
            '| without the rule that | caught by | steps |',
            '| --- | --- | --- |',
            ...mutants.map(
              (m: Report) =>
                `| ${m.without.join(' and ')} | ${m.violated ?? `bears it: ${m.why ?? ''}`} | ${m.steps ?? ''} |`,
            ),
          ]),
    ],
  },
  {
    name: 'images',
    title: 'Disks that a power cut may leave',
    command: ['scripts/crash-images.js', '--json'],
    small: ['scripts/crash-images.js', '--entries', '4', '--weak-max', '30', '--json'],
    typed: 'npm run crash-images',
    text: (reports) => [
      '| metadata | disks | with acknowledged entries | lost | refused |',
      '| --- | --- | --- | --- | --- |',
      ...reports.map(
        (r: Report) =>
          `| ${r.ordering} | ${n(r.images)} | ${n(r.told)} | ${n(r.lost)} | ${n(r.refused)} ${listed(r.whys)} |`,
      ),
    ],
  },
  {
    name: 'disk-faults',
    title: 'Every system call of the journal failing',
    command: ['scripts/disk-faults.js', '--json'],
    small: null,
    typed: 'npm run disk-faults',
    text: ({ places, faults, problems }) => [
      `${n(places)} calls made to fail or to kill; entries lost or not opened again: **${n(problems.length)}**. What was said: ${listed(faults)}.`,
    ],
  },
  {
    name: 'recovery',
    title: 'Ready again after kill -9 with a large journal',
    command: ['scripts/recovery.js', '--rounds', '20', '--json'],
    small: null,
    typed: 'npm run recovery -- --rounds 20',
    text: ({ entries, rounds, readyMs, lost }) => {
      const { p50, p99 } = percentiles(readyMs);
      return [
        `${n(entries)} entries, ${n(rounds)} kills: ready in p50 ${n(p50)} ms, p99 ${n(p99)} ms; entries lost **${n(lost)}**.`,
      ];
    },
  },
  {
    name: 'kills',
    title: 'kill -9 of the real station at every named point',
    command: ['scripts/kill.js', '--json'],
    small: null,
    typed: 'npm run kill',
    text: ({ outcomes, problems }) => [
      `${n(outcomes.length)} kills; units lost, released twice or without receipts: **${n(problems.length)}**.`,
    ],
  },
  {
    name: 'chaos',
    title: 'Misfortune on the real programs and components',
    command: ['scripts/chaos.js', '--rounds', '100', '--seed', '3', '--json'],
    small: null,
    typed: 'npm run chaos -- --rounds 100 --seed 3',
    text: ({ outcomes, units, strikes, recoveriesMs, problems, wallSeconds }) => [
      `${n(outcomes.length)} rounds with ${n(units.fed)} units in ${n(wallSeconds)} s; what was wrong in chips, databases, journals or gate log: **${n(problems.length)}**.`,
      '',
      `What struck: ${listed(strikes)}.`,
      '',
      '| after kill -9 of | kills | ready again, p50 | p99 |',
      '| --- | --- | --- | --- |',
      ...Object.entries(recoveriesMs as Record<string, Report>).map(
        ([part, { kills, p50, p99 }]) => `| ${part} | ${n(kills)} | ${n(p50)} ms | ${n(p99)} ms |`,
      ),
    ],
  },
  {
    name: 'fuzz',
    title: 'Bytes against everything that reads them',
    command: ['scripts/fuzz.js', '--json'],
    small: null,
    typed: 'npm run fuzz',
    text: (targets) => [
      '| target | inputs | kept | broken |',
      '| --- | --- | --- | --- |',
      ...targets.map(
        (t: Report) =>
          `| ${t.target} | ${n(t.executions)} | ${n(t.corpus)} | ${t.broken === null ? 'nothing' : 'broken'} |`,
      ),
    ],
  },
];
