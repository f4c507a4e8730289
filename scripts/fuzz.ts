/** `npm run fuzz`: bytes against everything that reads them, `-- --seconds N --seed S --only NAME`. */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz/fuzzer.ts';
import { targets } from './fuzz/targets.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const chosen = targets.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) {
  process.stderr.write(`the targets are ${targets.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
for (const target of chosen) {
  const until = performance.now() + Number(values.seconds) * 1_000;
  const report = fuzz(target, { seed: values.seed, goesOn: () => performance.now() < until });
  const { executions, corpus, features, broken } = report;
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else
    process.stdout.write(
      `${target.name.padEnd(22)} ${String(executions).padStart(9)} inputs, ${corpus} kept, ${features} features${broken === null ? '' : ', BROKEN'}\n`,
    );
  if (broken !== null) {
    process.stderr.write(`${broken.input}\n${broken.error}\n`);
    process.exitCode = 1;
  }
}
