/** The memory of the told head: what a backend said of its log outlives it, in a file as in a simulation. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openHeadFile } from '../../drivers/store/head-file.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { HeadMemory } from '../../runtime/core/store/head.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-head-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const head = (size: number) => ({ size, root: new Uint8Array(32).fill(size) });

/** Each opens the same memory again, as a program does that was started anew. */
const drivers: Readonly<Record<string, () => () => Promise<HeadMemory>>> = {
  'in a file': () => () => openHeadFile(join(directory, 'log-head')),
  simulated: () => {
    const memory = createInMemoryHead();
    return async () => memory;
  },
};

for (const [name, make] of Object.entries(drivers))
  describe(`the told head, ${name}`, () => {
    it('is none before the first, grows, never shrinks, and is there after a restart', async () => {
      const open = make();
      const first = await open();
      assert.equal(first.told, null);
      await first.remember(head(3));
      await first.remember(head(2));
      const again = await open();
      assert.equal(again.told?.size, 3);
      assert.deepEqual(Uint8Array.from(again.told?.root ?? []), head(3).root);
    });
  });

describe('the file of the told head', () => {
  it('is its owner’s alone, and is not taken for empty when it holds something else', async () => {
    const path = join(directory, 'another');
    await (await openHeadFile(path)).remember(head(1));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    writeFileSync(path, '{"size":');
    await assert.rejects(openHeadFile(path), (error) => isFault(error) && error.code === 'FILE_UNREADABLE');
  });

  it('says so when the disk does not take it', async () => {
    const memory = await openHeadFile(join(directory, 'nowhere', 'log-head'));
    await assert.rejects(
      memory.remember(head(1)),
      (error) => isFault(error) && error.code === 'FILE_UNREADABLE',
    );
    assert.equal(memory.told, null);
  });
});
