/** Whole units on a line with every component real: our time of one, and how many a second. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchRow } from '../bench.ts';
import type { Summary } from '../laboratory/tally.ts';
import { roundTripMs } from './round-trip.ts';

/** One station for the time of a unit, two side by side for the rate. */
export async function benchUnits(directory: string, units: number): Promise<readonly BenchRow[]> {
  const tripMs = await roundTripMs();
  const { unitMs, overheadMs } = await lineOf(directory, units, 1);
  const { unitsPerSecond } = await lineOf(directory, units, 2);
  return [
    { what: 'round trip to a sleeping process, p50', value: tripMs, unit: 'ms' },
    {
      what: 'time of ours per unit, 1 station, p50',
      value: overheadMs.p50,
      unit: 'ms',
      beside: { what: 'such round trips', value: tripMs, ratio: overheadMs.p50 / tripMs },
    },
    {
      what: 'time of ours per unit, 1 station, p99',
      value: overheadMs.p99,
      unit: 'ms',
      beside: { what: 'whole unit', value: unitMs.p99, ratio: overheadMs.p99 / unitMs.p99 },
    },
    { what: 'whole units, 2 stations', value: unitsPerSecond, unit: '/s' },
  ];
}

async function lineOf(directory: string, units: number, stations: number): Promise<Summary> {
  const summaryFile = join(directory, 'summary.json');
  const script = fileURLToPath(new URL('../laboratory/main.js', import.meta.url));
  await promisify(execFile)(process.execPath, [
    script,
    ...['--units', String(units), '--stations', String(stations)],
    ...['--dir', join(directory, 'line'), '--summary', summaryFile, '--json'],
  ]);
  return JSON.parse(readFileSync(summaryFile, 'utf8')) as Summary;
}
