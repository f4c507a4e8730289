/** `npm run kill`: ends the station at every named point, one unit each. `-- --points N --seed S` takes some. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSimulatedEntropy } from '../drivers/entropy/simulated.ts';
import { killRun } from './kill/kill-run.ts';
import { choosePoints } from './kill/points.ts';

const { values } = parseArgs({
  options: {
    points: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const points =
  values.only === undefined
    ? choosePoints(
        values.points === undefined ? null : Number(values.points),
        createSimulatedEntropy(values.seed),
      )
    : values.only.split(',');
const directory = mkdtempSync(join(tmpdir(), 'holdfast-kill-'));
try {
  const report = await killRun({
    directory,
    points,
    onPoint: ({ point, unit, reached, lane, recoveryMs }) =>
      process.stderr.write(
        `${String(unit).padStart(3)}/${points.length}  ${point.padEnd(34)} ${reached ? 'killed' : 'not reached'}, ${lane ?? 'STILL THERE'} after ${recoveryMs} ms\n`,
      ),
  });
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  for (const problem of report.problems) process.stderr.write(`✗ ${problem}\n`);
  process.stderr.write(`${report.outcomes.length} kills, ${report.problems.length} problems\n`);
  process.exitCode = report.problems.length === 0 ? 0 : 1;
  if (report.problems.length > 0) process.stderr.write(`logs and journals are kept in ${directory}\n`);
} finally {
  if (process.exitCode === 0) rmSync(directory, { recursive: true, force: true });
}
