/**
 * `npm run rivals`: two stations ask two backends for the same EID, the same chip or the same unit on a private
 * PostgreSQL, each round interleaved in another way. `-- --rounds N --seed S --json`; ends with 1 when two have won.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openPostgresFleetStore } from '../drivers/store/postgres/fleet-store.ts';
import { rivals } from './fleet/rivals.ts';
import { startPostgres } from './stand/postgres.ts';

const PAUSE_MS_MAX = 2;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const directory = mkdtempSync(join(tmpdir(), 'hf-'));
const stand = await startPostgres({ directory, databases: ['fleet'] });
try {
  const options = {
    url: `postgresql:///fleet?host=${encodeURIComponent(stand.socketDirectory)}&user=${stand.user}`,
    ...{ statementTimeoutMs: 10_000, connectTimeoutMs: 5_000, poolMax: 4 },
  };
  const stores = [await openPostgresFleetStore(options), await openPostgresFleetStore(options)] as const;
  const asked = { rounds: Number(values.rounds), seed: values.seed, pauseMsMax: PAUSE_MS_MAX };
  const report = await rivals({ stores, ...asked });
  for (const store of stores) await store.close();
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    const { rounds, secondWon, problems } = report;
    process.stdout.write(
      `${rounds} rounds, the second has won ${secondWon}; ${problems.length} went wrong\n`,
    );
    for (const problem of problems) process.stdout.write(`  ${problem}\n`);
    if (problems.length > 0)
      process.stdout.write(`again: npm run rivals -- --rounds ${rounds} --seed ${values.seed}\n`);
  }
  process.exitCode = report.problems.length === 0 ? 0 : 1;
} finally {
  await stand.stop();
  rmSync(directory, { recursive: true, force: true });
}
