/** A gateway under load whose token processes are replaced on the way: no unit notices, and the grown ones are gone. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { measureMemory } from '../../scripts/memory/gateway-memory.ts';

describe('a gateway under load', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-memory-'));
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('confirms every unit while processes that have grown by a MiB are replaced, and keeps few of them', async () => {
    // Every unit that is not confirmed fails this.
    const report = await measureMemory({
      ...{ directory, units: 10, every: 2, recycleGrowthMiB: 1 },
      onWeighing: () => undefined,
    });
    const last = report.at(-1) ?? assert.fail('nothing was weighed');
    assert.equal(last.units, 10);
    assert.ok(last.tokenProcesses >= 2, `${last.tokenProcesses} token processes`);
    const [first = 0] = report.map(({ tokenMiB }) => tokenMiB);
    assert.ok(last.tokenMiB < first * 4, `${last.tokenMiB} MiB at the end, ${first} MiB at first`);
  });
});
