/** Eight named points drawn by a seed; `npm run kill` takes all of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { killRun } from '../../scripts/kill/kill-run.ts';
import { choosePoints } from '../../scripts/kill/points.ts';

const SEED = 'eight points';

describe('kill -9 of the station', () => {
  it('loses no unit, finishes none twice and releases none without both receipts', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-kill-'));
    try {
      const points = choosePoints(8, createSimulatedEntropy(SEED));
      const report = await killRun({ directory, points, onPoint: () => undefined });
      assert.deepEqual(report.problems, [], `replay with: npm run kill -- --points 8 --seed '${SEED}'`);
      assert.equal(report.outcomes.filter((outcome) => outcome.reached).length, 8);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
