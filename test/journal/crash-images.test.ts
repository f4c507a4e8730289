/**
 * Power cuts, made from a recording of what the production journal does to its disk: its set-up, a life that was stopped,
 * one that was killed, and one after that. All of them, and the worst that POSIX permits: `npm run crash-images`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { type CrashReport, judgeAll } from '../../scripts/crash-images/census.ts';
import { imagesOf } from '../../scripts/crash-images/images.ts';
import { type Recording, record } from '../../scripts/crash-images/record.ts';
import type { Operation } from '../../scripts/crash-images/trace.ts';

/** Of the disks that ought to lack entries a part is enough. */
const LOSSES_LOOKED_FOR = 60;
const SEED = process.env.IMAGES_SEED ?? '1';
const traceable = spawnSync('strace', ['-f', 'true']).status === 0;

describe('the disk after a power cut', { skip: traceable ? false : 'strace may not trace here' }, () => {
  const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'journal-images-'));
  let recording: Recording;

  before(() => {
    recording = record(directory, { entries: 2, bytes: 100 });
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const judged = (operations: readonly Operation[], max: number): Promise<CrashReport> => {
    const entropy = createSimulatedEntropy(`test/${SEED}`);
    const images = imagesOf(operations, { top: recording.top, ordering: 'ordered', entropy });
    return judgeAll(images, { directory, ordering: 'ordered', max, entropy });
  };

  it(`has every entry that somebody was told of, and opens, wherever it was cut (seed ${SEED})`, async () => {
    const report = await judged(recording.operations, Number.MAX_SAFE_INTEGER);
    const { told, opened, whole, unfinished, lost, refused, whys } = report;
    assert.deepEqual({ lost, refused, whys }, { lost: 0, refused: 0, whys: {} });
    assert.equal(whole + unfinished, opened);
    assert.ok(
      told > 80 && unfinished > 30,
      `${told} with entries, ${unfinished} before the end of the set-up`,
    );
  });

  it('would lack entries if they were told of before they were synced', async () => {
    const first = recording.operations.findIndex((operation) => operation.kind === 'said');
    const unsynced = recording.operations.filter(
      (operation, i) => i < first || !(operation.kind === 'sync' && operation.path.endsWith('.log')),
    );
    const { lost, refused } = await judged(unsynced, LOSSES_LOOKED_FOR);
    assert.ok(lost + refused > 0, 'the claim above would prove nothing');
  });
});
