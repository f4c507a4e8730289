/**
 * `npm run model`: checks the protocol's model exhaustively, and shows what each rule is there for.
 * `-- --units N --nests N --faults N` checks one setting instead of the usual ones, `--live` for liveness.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildChecker, missingTool, type Outcome } from './model/checker.ts';
import { mutants, type Setting } from './model/rules.ts';

const { values } = parseArgs({
  options: {
    units: { type: 'string' },
    nests: { type: 'string', default: '1' },
    faults: { type: 'string', default: '2' },
    live: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
  },
});

interface Plan extends Setting {
  readonly live: boolean;
}

const usual: readonly Plan[] = [
  { units: 1, nests: 1, faults: 2, live: false },
  { units: 2, nests: 1, faults: 1, live: false },
  { units: 1, nests: 2, faults: 1, live: false },
  { units: 2, nests: 2, faults: 1, live: false },
  { units: 1, nests: 1, faults: 3, live: false },
  { units: 2, nests: 1, faults: 2, live: false },
  { units: 1, nests: 2, faults: 2, live: false },
  { units: 1, nests: 1, faults: 2, live: true },
  { units: 2, nests: 1, faults: 1, live: true },
];
const wanted = Number(values.units);
const plans = Number.isNaN(wanted)
  ? usual
  : [{ units: wanted, nests: Number(values.nests), faults: Number(values.faults), live: values.live }];
const timeoutMs = Number(values.minutes) * 60_000;

const missing = missingTool();
if (missing !== null) {
  process.stderr.write(`the model was not checked: ${missing}\n`);
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), 'holdfast-model-'));
try {
  const runs = plans.map((plan) => ({ ...plan, ...checked(plan) }));
  const table = Number.isNaN(wanted) ? mutants.map((mutant) => ({ ...mutant, ...shown(mutant) })) : [];
  if (values.json) process.stdout.write(`${JSON.stringify({ runs, mutants: table })}\n`);
  const sound = runs.every((run) => run.violated === null && run.complete && run.unreached.length === 0);
  process.exitCode = sound && table.every((mutant) => mutant.violated === mutant.caught) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function checked({ units, nests, faults, live }: Plan): Outcome {
  const what = `${units} unit(s), ${nests} nest(s), ${faults} fault(s)${live ? ', liveness' : ''}`;
  process.stderr.write(`${what.padEnd(46)} `);
  const outcome = buildChecker({ directory, units, nests, live, optimized: true })({ faults, timeoutMs });
  process.stderr.write(
    `${outcome.states} states, ${outcome.transitions} transitions, ${Math.round(outcome.memoryMb)} MB, ${outcome.seconds} s: ${told(outcome)}\n`,
  );
  return outcome;
}

function shown({ without, setting, caught, means }: (typeof mutants)[number]): Outcome {
  const live = caught === 'live';
  const check = buildChecker({
    directory,
    units: setting.units,
    nests: setting.nests,
    live,
    shortest: !live,
  });
  const outcome = check({ faults: setting.faults, without, timeoutMs });
  process.stderr.write(`without ${without.join(' and ').padEnd(24)} ${told(outcome).padEnd(24)} ${means}\n`);
  return outcome;
}

function told({ violated, complete, steps, unreached }: Outcome): string {
  if (violated !== null)
    return `${violated === 'live' ? 'live' : `P${violated}`} fails in ${steps ?? 0} steps`;
  if (!complete) return 'NOT COMPLETE';
  return unreached.length === 0 ? 'holds' : `holds, but never reaches ${unreached.join('; ')}`;
}
