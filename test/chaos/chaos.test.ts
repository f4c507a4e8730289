/** A few rounds of misfortune on real programs and components; `npm run chaos` is the long run. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SEED = 'ci';
const ROUNDS = 5;
const DEADLINE_MS = 240_000;

/** It mounts small disks and filters packets, in namespaces of its own. */
const skip = process.getuid?.() === 0 ? false : 'needs root: loop devices, mounts and nft';

describe('chaos', { skip }, () => {
  it('loses no unit, finishes none twice and releases none unproved, whatever dies when', async () => {
    const command = ['--enable-source-maps', 'dist/scripts/chaos.js', '--rounds', String(ROUNDS)];
    const ended = await run(process.execPath, [...command, '--seed', SEED, '--json'], {
      timeout: DEADLINE_MS,
    }).catch((error: { stdout: string; stderr: string }) => error);
    const again = `again: npm run chaos -- --rounds ${ROUNDS} --seed '${SEED}'\n${ended.stderr}`;
    assert.notEqual(ended.stdout, '', again);
    const report = JSON.parse(ended.stdout) as {
      problems: readonly string[];
      outcomes: readonly { strikes: readonly object[] }[];
      units: { fed: number; left: number };
    };
    assert.deepEqual(report.problems, [], again);
    assert.equal(report.outcomes.length, ROUNDS);
    assert.equal(report.outcomes.flatMap(({ strikes }) => strikes).length, 2 * ROUNDS);
    assert.equal(report.units.left, report.units.fed);
  });
});
