/** Whole units a second with two stations side by side, every component real. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchRow } from '../bench.ts';
import type { Summary } from '../laboratory/tally.ts';

const STATIONS = 2;

export async function benchUnits(directory: string, units: number): Promise<readonly BenchRow[]> {
  const summaryFile = join(directory, 'summary.json');
  const script = fileURLToPath(new URL('../laboratory/main.js', import.meta.url));
  await promisify(execFile)(process.execPath, [
    script,
    ...['--units', String(units), '--stations', String(STATIONS)],
    ...['--dir', join(directory, 'line'), '--summary', summaryFile, '--json'],
  ]);
  const summary = JSON.parse(readFileSync(summaryFile, 'utf8')) as Summary;
  const { unitsPerSecond, unitMs, overheadMs } = summary;
  return [
    { what: `whole units, ${STATIONS} stations`, value: unitsPerSecond, unit: '/s' },
    {
      what: 'time of ours per unit, p50',
      value: overheadMs.p50,
      unit: 'ms',
      beside: { what: 'whole unit', value: unitMs.p50, ratio: overheadMs.p50 / unitMs.p50 },
    },
    {
      what: 'time of ours per unit, p99',
      value: overheadMs.p99,
      unit: 'ms',
      beside: { what: 'whole unit', value: unitMs.p99, ratio: overheadMs.p99 / unitMs.p99 },
    },
  ];
}
