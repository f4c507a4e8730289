/**
 * `npm run disk-faults`: the disk of a journal fails at every call, one after the other, in every way. Prints what was
 * lost, and what was said. `-- --call NAME --failure NAME --nth-max N --json`.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { failAt, failingCalls, failures, prepareMaster } from './disk-faults/sweep.ts';

const { values } = parseArgs({
  options: {
    call: { type: 'string' },
    failure: { type: 'string' },
    'nth-max': { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
  },
});
/** So often not reached: the thread makes no more of these calls. */
const UNREACHED_MAX = 2;

const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-faults-'));
const faults: Record<string, number> = {};
const problems: string[] = [];
let places = 0;
try {
  const master = join(directory, 'master');
  await prepareMaster(master);
  for (const call of failingCalls.filter((name) => (values.call ?? name) === name))
    for (const failure of failures.filter((name) => (values.failure ?? name) === name)) {
      let unreached = 0;
      let nth = 1;
      for (; nth <= Number(values['nth-max']) && unreached < UNREACHED_MAX; nth++) {
        const outcome = await failAt({ call, failure, nth }, master, join(directory, 'swept'));
        unreached = outcome.reached ? 0 : unreached + 1;
        places += 1;
        const end = outcome.fault ?? (outcome.reached ? 'killed' : 'went on');
        faults[end] = (faults[end] ?? 0) + 1;
        problems.push(...outcome.problems.map((problem) => `${call} ${failure} at ${nth}: ${problem}`));
      }
      if (!values.json) process.stderr.write(`${call.padEnd(10)} ${failure.padEnd(13)} ${nth - 1} calls\n`);
    }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
if (values.json) process.stdout.write(`${JSON.stringify({ places, faults, problems })}\n`);
else {
  for (const problem of problems) process.stdout.write(`✗ ${problem}\n`);
  const ends = Object.entries(faults).map(([end, count]) => `${end} ${count}`);
  process.stdout.write(`${places} places, ${problems.length} problems; ${ends.join(', ')}\n`);
}
process.exitCode = problems.length === 0 ? 0 : 1;
