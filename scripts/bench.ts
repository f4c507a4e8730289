/** `npm run bench`: what things cost on this machine, each beside what it is built on, in one run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchCertificates } from './bench/certificates.ts';
import { benchEnvelopes } from './bench/envelopes.ts';
import { benchInjection } from './bench/injection.ts';
import { benchJournal } from './bench/journal.ts';
import { benchKeySets } from './bench/key-sets.ts';
import { benchUnits } from './bench/units.ts';

export interface BenchRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, in the same run. */
  readonly beside?: { readonly what: string; readonly value: number; readonly ratio: number };
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    units: { type: 'string', default: '60' },
    only: { type: 'string' },
  },
});
const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
const rows: BenchRow[] = [];
const note = (row: BenchRow): void => {
  rows.push(row);
  if (values.json) return;
  const beside =
    row.beside === undefined
      ? ''
      : `   ${row.beside.what}: ${show(row.beside.value)}, ratio ${row.beside.ratio.toFixed(2)}`;
  process.stdout.write(`${row.what.padEnd(44)} ${show(row.value).padStart(10)} ${row.unit}${beside}\n`);
};
try {
  const parts: Readonly<Record<string, () => Promise<readonly BenchRow[]>>> = {
    journal: () => benchJournal(directory),
    injection: () => benchInjection(directory),
    'key-sets': () => benchKeySets(directory),
    certificates: () => benchCertificates(directory),
    envelopes: benchEnvelopes,
    units: () => benchUnits(directory, Number(values.units)),
  };
  const wanted = values.only === undefined ? Object.keys(parts) : values.only.split(',');
  for (const name of wanted) for (const row of (await parts[name]?.()) ?? []) note(row);
  if (values.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function show(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(3);
}
