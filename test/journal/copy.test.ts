import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openJournalCopy } from '../../drivers/journal/copy.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import { refusalOf } from '../../drivers/journal/refusal.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { fault } from '../contracts/journal.contract.ts';
import { collect, flip, genesis, logOf, numberOf, samples } from './samples.ts';

const { sha256 } = nodeCrypto;

/** Copies are made here: other tests make theirs at the same time. */
const own = mkdtempSync(join(tmpdir(), 'journal-copies-'));
const temporary = process.env.TMPDIR;
before(() => {
  process.env.TMPDIR = own;
});
after(() => {
  if (temporary === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = temporary;
  rmSync(own, { recursive: true });
});

async function withEntries(count: number) {
  const top = mkdtempSync(join(tmpdir(), 'journal-copy-'));
  const directory = join(top, 'journal');
  await provisionJournal(directory, genesis);
  const open = () =>
    openLeveldbJournal({ directory, sha256, laboratoryFileSystem: true, onWarning: () => undefined });
  {
    await using journal = await open();
    for (const entry of samples(count)) await journal.append([entry]);
  }
  return { directory, open, [Symbol.dispose]: () => rmSync(top, { recursive: true }) };
}

/** One hash over the names, times and bytes of everything in a directory. */
function fingerprint(directory: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const stat = statSync(join(directory, name));
    hash.update(`${name} ${stat.mtimeMs} ${stat.ino} ${stat.size}\n`);
    if (stat.isFile()) hash.update(readFileSync(join(directory, name)));
  }
  return hash.digest('hex');
}

function copiesLeft(): readonly string[] {
  return readdirSync(own).filter((name) => name.startsWith('holdfast-journal-'));
}

describe('the copy of a dead station’s journal', () => {
  it('shows all entries and leaves the original as it was', async () => {
    using place = await withEntries(7);
    const before = fingerprint(place.directory);
    {
      await using copy = await openJournalCopy(place.directory, { sha256 });
      assert.deepEqual(copy.genesis, genesis);
      assert.equal(copy.damage, null);
      assert.deepEqual((await collect(copy.entries)).map(numberOf), [0, 1, 2, 3, 4, 5, 6]);
    }
    assert.equal(fingerprint(place.directory), before);
    assert.deepEqual(copiesLeft(), []);
    await (await place.open())[Symbol.asyncDispose]();
  });

  it('is refused while the station lives', async () => {
    using place = await withEntries(1);
    await using _journal = await place.open();
    await assert.rejects(openJournalCopy(place.directory, { sha256 }), fault('JOURNAL_LOCKED'));
  });

  it('shows what comes before the damage, then the damage', async () => {
    using place = await withEntries(9);
    const path = logOf(place.directory);
    flip(path, 'shift 5');
    const before = fingerprint(place.directory);
    await using copy = await openJournalCopy(place.directory, { sha256 });
    assert.equal(copy.damage?.code, 'JOURNAL_DAMAGED');
    const shown: number[] = [];
    await assert.rejects(async () => {
      for await (const entry of copy.entries) shown.push(numberOf(entry));
    }, fault('JOURNAL_DAMAGED'));
    assert.deepEqual(shown, [0, 1, 2, 3, 4]);
    assert.equal(fingerprint(place.directory), before);
  });

  it('does not take for damage what the system refuses to read', async () => {
    using place = await withEntries(2);
    // Even root may only write to it.
    const forbidden = '/proc/sys/vm/drop_caches';
    const file = join(place.directory, 'store', '000099.ldb');
    symlinkSync(forbidden, file);
    await assert.rejects(openJournalCopy(place.directory, { sha256 }), (error) => {
      assert.ok(isFault(error), String(error));
      assert.deepEqual([error.code, error.context], ['FILE_UNREADABLE', { file, error: 'EACCES' }]);
      return true;
    });
    assert.deepEqual(copiesLeft(), []);
  });

  it('does not take for damage that there is no place for a copy', async () => {
    using place = await withEntries(2);
    process.env.TMPDIR = '/proc';
    try {
      await assert.rejects(openJournalCopy(place.directory, { sha256 }), fault('FILE_UNREADABLE'));
    } finally {
      process.env.TMPDIR = own;
    }
  });
});

describe('a refusal of the system', () => {
  const failed = (code: string) =>
    Object.assign(new Error(code), { code, syscall: 'copyfile', path: 'journal/1', dest: 'copy/1' });
  const fileOf = (error: unknown) => refusalOf(error, 'journal')?.context.file;

  it('names the file that may not be read, or the one that has no room', () => {
    for (const code of ['EACCES', 'EPERM', 'EMFILE']) assert.equal(fileOf(failed(code)), 'journal/1');
    for (const code of ['ENOSPC', 'EDQUOT', 'EROFS']) assert.equal(fileOf(failed(code)), 'copy/1');
    assert.equal(fileOf(Object.assign(new Error(), { code: 'EACCES', syscall: 'scandir' })), 'journal');
  });

  it('is neither failing storage nor an error of a program', () => {
    assert.equal(refusalOf(failed('EIO'), 'journal'), null);
    assert.equal(refusalOf(new SyntaxError('no JSON'), 'journal'), null);
    assert.equal(refusalOf(Object.assign(new Error(), { code: 'LEVEL_CORRUPTION' }), 'journal'), null);
  });
});
