/** The shelf of a ceremony: what was written is whole and is there, on a disk as in a simulation. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openDirectoryShelf } from '../../drivers/shelf/directory.ts';
import { createInMemoryShelf } from '../../drivers/shelf/in-memory.ts';
import { fromText, toText } from '../../runtime/core/bytes.ts';
import type { Shelf } from '../../runtime/core/ceremony/shelf.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-shelf-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const shelves: Readonly<Record<string, () => Shelf>> = {
  'on a disk': openDirectoryShelf,
  simulated: () => createInMemoryShelf(),
};

for (const [name, open] of Object.entries(shelves))
  describe(`the shelf of a ceremony, ${name}`, () => {
    const path = join(directory, name, 'deep', 'intent.json');

    it('has nothing of what was never written', async () => {
      assert.equal(await open().read(path), null);
    });

    it('gives back what was written last, byte for byte', async () => {
      const shelf = open();
      await shelf.write(path, fromText('a first text that is longer'));
      await shelf.write(path, fromText('second'));
      assert.equal(toText((await shelf.read(path)) ?? fromText('')), 'second');
    });

    it('keeps what it was given, whatever becomes of the bytes of the caller', async () => {
      const shelf = open();
      const bytes = fromText('kept');
      await shelf.write(path, bytes);
      bytes.fill(0);
      assert.equal(toText((await shelf.read(path)) ?? bytes), 'kept');
    });
  });

describe('the shelf on a disk', () => {
  it('is its owner’s alone, leaves nothing half written beside, and says when the disk refuses', async () => {
    const shelf = openDirectoryShelf();
    const path = join(directory, 'own', 'record.jws');
    await shelf.write(path, fromText('record'));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(directory, 'own')).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(join(directory, 'own')), ['record.jws']);
    mkdirSync(join(directory, 'taken'));
    await assert.rejects(shelf.write(join(directory, 'taken'), fromText('x')), { code: 'FILE_UNREADABLE' });
    await assert.rejects(shelf.read(join(directory, 'taken')), { code: 'FILE_UNREADABLE' });
  });
});
