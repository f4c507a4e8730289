/** Who may not have the journal is told so: that is neither damage nor a journal that is missing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isFault } from '../../runtime/core/faults.ts';
import { fault } from '../contracts/journal.contract.ts';
import { type Place, written } from './place.ts';
import { collect, numberOf, samples } from './samples.ts';

const OTHER = fileURLToPath(new URL('../../scripts/crash-images/recorded-run.js', import.meta.url));
const NOBODY = 65_534;

/** Root may everything: it does this as somebody else. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const root = process.getuid?.() === 0;
  if (root) process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

async function refusedFile(place: Place): Promise<string> {
  try {
    await (await place.open())[Symbol.asyncDispose]();
  } catch (error) {
    assert.ok(isFault(error), String(error));
    assert.equal(error.code, 'FILE_UNREADABLE', JSON.stringify(error.context));
    return String(error.context.file);
  }
  return assert.fail('it opened');
}

describe('an account that may not have the journal', () => {
  for (const part of ['', 'genesis', 'lock', 'witness', 'store'])
    it(`is told of ${part === '' ? 'the directory' : part}, and nothing is taken for missing or damaged`, async () => {
      using place = await written(samples(3));
      const file = join(place.directory, part);
      chmodSync(dirname(place.directory), 0o755);
      for (const open of ['', 'store']) chmodSync(join(place.directory, open), 0o755);
      for (const open of ['genesis', 'lock', 'witness']) chmodSync(join(place.directory, open), 0o666);
      chmodSync(file, 0o000);
      await asNobody(async () => assert.ok((await refusedFile(place)).startsWith(file)));
      chmodSync(file, part === '' || part === 'store' ? 0o755 : 0o640);
      await using journal = await place.open();
      assert.deepEqual((await collect(journal.read())).map(numberOf), [0, 1, 2]);
    });
});

describe('a second opener', () => {
  const openElsewhere = (place: Place): string =>
    spawnSync(process.execPath, [OTHER, place.directory, 'last', '1', '0'], { encoding: 'utf8' }).stdout;

  it('is refused in another process and in this one, also after LevelDB’s own lock was dropped', async () => {
    using place = await written(samples(3));
    await using journal = await place.open();
    await assert.rejects(place.open(), fault('JOURNAL_LOCKED'));
    assert.match(openElsewhere(place), /^fault JOURNAL_LOCKED /);
    // fcntl(2): closing any descriptor of the file drops every lock that this process has on it.
    closeSync(openSync(join(place.directory, 'store', 'LOCK'), 'r'));
    readFileSync(join(place.directory, 'lock'));
    assert.match(openElsewhere(place), /^fault JOURNAL_LOCKED /);
    await assert.rejects(place.open(), fault('JOURNAL_LOCKED'));
    await journal.append(samples(1, 3));
    assert.deepEqual((await collect(journal.read())).map(numberOf), [0, 1, 2, 3]);
  });
});

describe('a process that is not stopped but ended', () => {
  it('is warned of at the next start, and the last two such stores are kept', async () => {
    using place = await written(samples(3), { stop: 'killed' });
    await (await place.open())[Symbol.asyncDispose]();
    assert.match(
      place.warnings.join(),
      /was not stopped but ended; the store as it was is kept as rescue\/1/,
    );
    await (await place.open())[Symbol.asyncDispose]();
    assert.equal(place.warnings.length, 1, 'a clean stop is nothing to warn of');
  });
});
