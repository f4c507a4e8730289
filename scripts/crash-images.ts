/**
 * `npm run crash-images`: records what the journal does to its disk, makes every disk that a power cut may leave of
 * that, and opens each with the production code. `-- --entries N --bytes N --weak-max N --seed S --json`.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSimulatedEntropy } from '../drivers/entropy/simulated.ts';
import { type CrashReport, judgeAll } from './crash-images/census.ts';
import { imagesOf, type Ordering } from './crash-images/images.ts';
import { record } from './crash-images/record.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '8' },
    bytes: { type: 'string', default: '300' },
    'weak-max': { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
/** In memory where there is such a place: the images are opened, not kept. */
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const directory = mkdtempSync(join(place, 'holdfast-images-'));
const reports: CrashReport[] = [];
try {
  const recording = record(directory, { entries: Number(values.entries), bytes: Number(values.bytes) });
  for (const ordering of ['ordered', 'weak'] as const satisfies readonly Ordering[]) {
    const entropy = createSimulatedEntropy(`images/${values.seed}/${ordering}`);
    const images = imagesOf(recording.operations, { top: recording.top, ordering, entropy });
    const report = await judgeAll(images, {
      directory,
      ordering,
      max: ordering === 'weak' ? Number(values['weak-max']) : images.length,
      entropy,
      onProgress: (done, all) => {
        if (!values.json && process.stderr.isTTY) process.stderr.write(`\r${ordering}: ${done} of ${all} `);
      },
    });
    reports.push(report);
    if (!values.json) process.stdout.write(`${sentence(report)}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify(reports)}\n`);
  const strict = reports.find(({ ordering }) => ordering === 'ordered');
  process.exitCode = strict !== undefined && strict.lost + strict.refused === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function sentence({ ordering, images, opened, told, lost, refused, unfinished, whys }: CrashReport): string {
  const reasons = Object.entries(whys).map(([why, count]) => `${why} ${count}`);
  return `${ordering}: ${images} disks, ${opened} opened, ${told} of them with acknowledged entries: ${lost} lost an acknowledged entry, ${refused} refused, ${unfinished} before the end of the set-up${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`;
}
