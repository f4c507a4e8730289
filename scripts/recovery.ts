/**
 * `npm run recovery`: kills a station that has a large journal, again and again, and prints how long it takes until it is
 * at work. Jig, reader, broker and token are simulated: their own time comes on top. `-- --entries N --rounds N --json`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { recoveryRounds } from './recovery/rounds.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
  },
});
const directory = mkdtempSync(join(tmpdir(), 'holdfast-recovery-'));
try {
  const report = await recoveryRounds(directory, {
    entries: Number(values.entries),
    rounds: Number(values.rounds),
    onRound: (round) => {
      if (!values.json && process.stderr.isTTY) process.stderr.write(`\rround ${round} `);
    },
  });
  const { readyMs, openMs, foldMs, lost } = report;
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    process.stdout.write(`${report.entries} entries, ${report.rounds} kills, ${lost} lost\n`);
    for (const [what, times] of Object.entries({
      'process to ready': readyMs,
      opening: openMs,
      fold: foldMs,
    }))
      process.stdout.write(`${what.padEnd(18)} p50 ${at(times, 0.5)} ms   p99 ${at(times, 0.99)} ms\n`);
  }
  process.exitCode = lost === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function at(ascending: readonly number[], share: number): number {
  return Math.round(ascending[Math.ceil(ascending.length * share) - 1] ?? 0);
}
