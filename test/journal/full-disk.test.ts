/** Disks that are full, and full no longer, and read-only: real ones, in a mount namespace of the test's own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./full-disk-child.js', import.meta.url));
const DEADLINE_MS = 60_000;
const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];

const mounts = {
  tmpfs: 'mount -t tmpfs -o size=32m small "$1/disk"',
  'ext4 on a loop device':
    'truncate -s 40M "$1/image" && PATH=$PATH:/sbin mkfs.ext4 -q -m 0 "$1/image" && mount -o loop "$1/image" "$1/disk"',
} as const;

function inNamespace(mount: string, top: string, then: string) {
  const script = `mkdir -p "$1/disk" && ${mount} && ${then}`;
  return spawnSync(
    'unshare',
    [...asUser, '--mount', 'sh', '-c', script, 'sh', top, process.execPath, CHILD],
    { encoding: 'utf8', timeout: DEADLINE_MS },
  );
}

for (const [name, mount] of Object.entries(mounts)) {
  const probe = mkdtempSync(join(tmpdir(), 'journal-probe-'));
  const { status, stderr } = inNamespace(mount, probe, 'true');
  rmSync(probe, { recursive: true });
  const skip = status === 0 ? false : `nothing can be mounted here: ${stderr.trim()}`;

  describe(`a small disk (${name})`, { skip }, () => {
    it('loses nothing when it is full or read-only, and goes on by itself when it is not', () => {
      const top = mkdtempSync(join(tmpdir(), 'journal-full-'));
      try {
        const run = inNamespace(mount, top, '"$2" "$3" "$1/disk"');
        assert.equal(run.status, 0, run.stderr);
        const steps = run.stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as { acknowledged?: number });
        assert.ok((steps[0]?.acknowledged ?? 0) > 200, 'hardly anything fitted');
        const { acknowledged: _, ...filled } = steps[0] ?? {};
        assert.deepEqual(
          [filled, ...steps.slice(1)],
          [
            { step: 'filled', code: 'JOURNAL_POISONED' },
            { step: 'same handle', code: 'JOURNAL_POISONED' },
            { step: 'opened without the reserve', code: 'JOURNAL_POISONED', free: 0 },
            { step: 'opened with the reserve', kept: true, warned: true },
            { step: 'another unit', code: 'JOURNAL_SPACE_LOW' },
            { step: 'the unit in work', code: null },
            { step: 'giving up entries', code: null },
            { step: 'another unit, with space', code: null },
            { step: 'the reserve', whole: true },
            { step: 'remounted', status: 0 },
            { step: 'opened while read-only', code: 'JOURNAL_POISONED' },
            { step: 'remounted', status: 0 },
            { step: 'opened again', code: null },
          ],
        );
      } finally {
        rmSync(top, { recursive: true });
      }
    });
  });
}
