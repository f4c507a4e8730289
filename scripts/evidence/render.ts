/** test/EVIDENCE.md out of the figures that were measured. */
import { found } from './found.ts';
import { type Part, parts } from './parts.ts';

export interface Measured {
  /** Short hash of what was measured. */
  readonly commit: string;
  readonly machine: string;
  readonly at: string;
  readonly report: unknown;
}

export type Figures = Readonly<Record<string, Measured>>;

const intro = `# Evidence

What was done to Holdfast to make it lose a unit, a key or a record, and what came of it. Written by
\`npm run evidence\` from the figures in \`test/evidence.json\`; \`-- --only nights,sweep\` measures some again. Each figure
stands with the command that makes it. A figure of time holds for the machine it names, and for no other.
`;

const limits = `## What is simulated, and what was never tried

- No real jig, reader, secure element, gate or HSM was ever used: chips are our virtual SE, the HSM is SoftHSM2, the board
  is simulated or is our firmware in an emulator of its processor, behind a real serial driver on a pseudo terminal.
- The nights run the production modules of station, gateway and backend; simulated are broker, databases, journal store,
  token, jig, reader and time. The model is a model: encodings, signatures and chips are not in it.
- A command of a chip is carried out wholly or not at all: a cut within one is a cut before or after it.
- The gateway's ledger is never restored from a backup in the nights; a reservation is in no leaf of the log, so a
  restored database that lacks nothing else is not found out.
- Crash images hold for file systems that order their metadata. Devices that lie about their caches were not tried, nor
  flash that wears out, nor a soak of days.
- Clocks are set wrong in the nights, not on real machines.
`;

export function render(figures: Figures): string {
  const sections = parts.flatMap((part) => sectionOf(part, figures[part.name]));
  const record = [
    '## Found, and by what',
    '',
    '| Fault of ours | Found by |',
    '| --- | --- |',
    ...found.map(([what, by]) => `| ${what} | ${by} |`),
    '',
  ];
  return [intro, ...sections, ...record, limits].join('\n');
}

function sectionOf(part: Part, measured: Measured | undefined): readonly string[] {
  const head = [`## ${part.title}`, '', `\`${part.typed}\``];
  if (measured === undefined) return [...head, '', 'Not measured yet.', ''];
  const { commit, machine, at, report } = measured;
  return [...head, '', ...part.text(report), '', `Measured ${at} at ${commit}, ${machine}.`, ''];
}
