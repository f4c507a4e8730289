/** `npm run mutants`: takes each safety rule away from the programs, and shows which night tells. `-- --only NAME --nights N`. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { mutants } from './night/mutants/table.ts';
import { trial } from './night/mutants/trial.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    nights: { type: 'string', default: '600' },
    json: { type: 'boolean', default: false },
  },
});
const chosen = mutants.filter(
  ({ name }) => values.only === undefined || values.only.split(',').includes(name),
);
const results = [];
for (const mutant of chosen) {
  const result = await trial(mutant, { nights: Number(values.nights), workers: availableParallelism() });
  results.push({ ...mutant, ...result });
  const told = result.killed === null ? 'alive' : `${result.killed.rule} after ${result.nights} nights`;
  const expected = mutant.survives === undefined ? '' : ` (expected: ${mutant.survives})`;
  process.stderr.write(`${mutant.name.padEnd(26)} ${told}${result.killed === null ? expected : ''}\n`);
}
if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
const wrong = results.filter(({ killed, survives }) => (killed === null) !== (survives !== undefined));
process.stderr.write(`${results.length} mutants, ${wrong.length} otherwise than the table says\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
