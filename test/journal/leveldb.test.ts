import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fileSystemOf, weaknessOf } from '../../drivers/journal/file-system.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import { openLeveldb } from '../../drivers/journal/leveldb-store.ts';
import { fault, journalContract } from '../contracts/journal.contract.ts';
import { journalCutContract } from '../contracts/journal-cut.contract.ts';
import { collect, genesis, numberOf, sample, samples } from './samples.ts';

const CHILD = fileURLToPath(new URL('./append-child.js', import.meta.url));
const { sha256 } = nodeCrypto;

const openAt = (directory: string, onWarning: (warning: string) => void = () => undefined) =>
  openLeveldbJournal({ directory, sha256, laboratoryFileSystem: true, onWarning });

interface Place extends Disposable {
  readonly directory: string;
}

async function provisioned(): Promise<Place> {
  const top = mkdtempSync(join(tmpdir(), 'journal-'));
  const directory = join(top, 'journal');
  await provisionJournal(directory, genesis);
  return { directory, [Symbol.dispose]: () => rmSync(top, { recursive: true }) };
}

const overLeveldb = async () => {
  const place = await provisioned();
  const inStore = async <T>(
    act: (store: Awaited<ReturnType<typeof openLeveldb>>) => Promise<T>,
  ): Promise<T> => {
    const exists = { createIfMissing: false, errorIfExists: false };
    const store = await openLeveldb(join(place.directory, 'store'), exists);
    try {
      return await act(store);
    } finally {
      await store.close();
    }
  };
  // A floor above any disk is a disk that is nearly full.
  const room = { freeBytesMin: 0, ballastBytes: 0 };
  return {
    open: () =>
      openLeveldbJournal({
        directory: place.directory,
        sha256,
        laboratoryFileSystem: true,
        room,
        onWarning: () => undefined,
      }),
    fill: (full: boolean) => {
      room.freeBytesMin = full ? Number.MAX_SAFE_INTEGER : 0;
    },
    tamper: (key: string, value: Uint8Array | null) =>
      inStore((store) => store.write([value === null ? { type: 'del', key } : { type: 'put', key, value }])),
    stored: (key: string) => inStore(async (store) => (await store.get(key)) ?? new Uint8Array(0)),
    [Symbol.asyncDispose]: async () => place[Symbol.dispose](),
  };
};
journalContract('over LevelDB', overLeveldb);
journalCutContract('over LevelDB', overLeveldb);

describe('provisioning a journal', () => {
  it('refuses where there is one already, and leaves it as it is', async () => {
    using place = await provisioned();
    {
      await using journal = await openAt(place.directory);
      await journal.append(samples(2));
    }
    await assert.rejects(
      provisionJournal(place.directory, { ...genesis, station: 'x' }),
      fault('CONFIG_INVALID'),
    );
    await using journal = await openAt(place.directory);
    assert.equal((await collect(journal.read())).length, 2);
  });

  it('begins again where it was interrupted, and nowhere else', async () => {
    using place = await provisioned();
    const away = (): void => renameSync(join(place.directory, 'store'), join(place.directory, 'store.new'));
    away();
    await assert.rejects(openAt(place.directory), fault('JOURNAL_MISSING'));
    await provisionJournal(place.directory, genesis);
    {
      await using journal = await openAt(place.directory);
      await journal.append(samples(1));
    }
    away();
    await assert.rejects(openAt(place.directory), fault('JOURNAL_DAMAGED'));
    await assert.rejects(provisionJournal(place.directory, genesis), fault('JOURNAL_DAMAGED'));
    assert.ok(existsSync(join(place.directory, 'store.new')), 'the entries are still there');
  });
});

describe('opening a journal', () => {
  it('makes none where there is none', async () => {
    using place = await provisioned();
    await assert.rejects(openAt(join(place.directory, 'elsewhere')), fault('JOURNAL_MISSING'));
    rmSync(join(place.directory, 'store', 'CURRENT'));
    const before = readdirSync(join(place.directory, 'store')).sort();
    await assert.rejects(openAt(place.directory), fault('JOURNAL_DAMAGED'));
    assert.deepEqual(readdirSync(join(place.directory, 'store')).sort(), before);
  });

  it('refuses the store of another station', async () => {
    using mine = await provisioned();
    using other = await provisioned();
    {
      await using journal = await openAt(other.directory);
      await journal.append(samples(1));
    }
    writeFileSync(join(other.directory, 'genesis'), JSON.stringify({ ...genesis, station: 'station-2' }));
    await assert.rejects(openAt(other.directory), fault('JOURNAL_DAMAGED'));
    writeFileSync(join(mine.directory, 'genesis'), '{');
    await assert.rejects(openAt(mine.directory), fault('JOURNAL_DAMAGED'));
  });

  it('reports a store that LevelDB itself refuses as damaged', async () => {
    using place = await provisioned();
    writeFileSync(join(place.directory, 'store', 'CURRENT'), '');
    await assert.rejects(openAt(place.directory), fault('JOURNAL_DAMAGED'));
  });

  it('gives the lock back when it fails', async () => {
    using place = await provisioned();
    const file = join(place.directory, 'store', 'CURRENT');
    const bytes = readFileSync(file);
    writeFileSync(file, 'MANIFEST-000099\n');
    await assert.rejects(openAt(place.directory), fault('JOURNAL_DAMAGED'));
    writeFileSync(file, bytes);
    await (await openAt(place.directory))[Symbol.asyncDispose]();
  });
});

describe('the file system under the journal', () => {
  const ext4 = { type: 'ext4', superOptions: ['rw'], journalTask: '231' };

  it('may be ext4 with its journal, or xfs', () => {
    assert.equal(weaknessOf(ext4), null);
    assert.equal(weaknessOf({ type: 'xfs', superOptions: ['rw'], journalTask: null }), null);
  });

  it('may not be anything that forgets at a power cut', () => {
    for (const weak of [
      { ...ext4, journalTask: '<none>' },
      { ...ext4, journalTask: null },
      { ...ext4, superOptions: ['rw', 'nobarrier'] },
      { ...ext4, superOptions: ['rw', 'data=writeback'] },
      { ...ext4, type: 'ext2' },
      { type: 'tmpfs', superOptions: ['rw'], journalTask: null },
      { type: 'overlay', superOptions: ['rw'], journalTask: null },
      { type: 'nfs4', superOptions: ['rw'], journalTask: null },
    ])
      assert.notEqual(weaknessOf(weak), null, JSON.stringify(weak));
  });

  it('is refused, or warned of at every open where the laboratory accepts it', async (t) => {
    using place = await provisioned();
    if (weaknessOf(fileSystemOf(place.directory)) === null) return t.skip('this temporary directory is safe');
    await assert.rejects(
      openLeveldbJournal({
        directory: place.directory,
        sha256,
        laboratoryFileSystem: false,
        onWarning: assert.fail,
      }),
      fault('JOURNAL_FILESYSTEM'),
    );
    for (let i = 0; i < 2; i++) {
      const warnings: string[] = [];
      await using _journal = await openAt(place.directory, (warning) => warnings.push(warning));
      assert.equal(warnings.length, 1);
    }
  });
});

/** The numbers a child has said are durable, and how it ended. */
async function listen(child: ChildProcess, onLine: (count: number) => void): Promise<string[]> {
  const lines: string[] = [];
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    onLine(lines.length);
  }
  return lines;
}

describe('a process that dies with the journal open', () => {
  it('has every entry it was told of, loses its lock, and leaves a chain that goes on', async () => {
    using place = await provisioned();
    const acknowledged: number[] = [];
    for (let round = 1; round <= 4; round++) {
      const child = spawn(process.execPath, [CHILD, place.directory, '900'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      const lines = await listen(child, (count) => {
        if (count === 60 * round) child.kill('SIGKILL');
      });
      await exited;
      acknowledged.push(...lines.map(Number));
      await using journal = await openAt(place.directory);
      const stored = (await collect(journal.read())).map(numberOf);
      let at = 0;
      for (const number of acknowledged) {
        at = stored.indexOf(number, at) + 1;
        assert.notEqual(at, 0, `entry ${number} of round ${round} is gone`);
      }
      await journal.append([sample(0)]);
      acknowledged.push(0);
    }
  });

  it('keeps others out while it lives', async () => {
    using place = await provisioned();
    const child = spawn(process.execPath, [CHILD, place.directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    if (child.stdout === null) throw new Error('no output');
    await once(child.stdout, 'data');
    await assert.rejects(openAt(place.directory), fault('JOURNAL_LOCKED'));
    await assert.rejects(provisionJournal(place.directory, genesis), fault('JOURNAL_LOCKED'));
    child.stdout.resume();
    child.kill('SIGKILL');
    await exited;
    await (await openAt(place.directory))[Symbol.asyncDispose]();
  });
});

describe('a full disk', () => {
  it('poisons the journal: nothing is acknowledged after it on the same handle, nothing before it is lost', async () => {
    using place = await provisioned();
    const full = join(place.directory, '..', 'full');
    // A small disk in a mount namespace of the child's own; its content is copied out before it goes.
    const script = `set -e; mkdir "$1"; mount -t tmpfs -o size=3m full "$1"; cp -r "$2/." "$1"
      "$3" "$4" "$1" 900; mkdir "$2.after"; cp -r "$1/." "$2.after"`;
    const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const argv = [
      ...asUser,
      '--mount',
      'sh',
      '-c',
      script,
      'sh',
      full,
      place.directory,
      process.execPath,
      CHILD,
    ];
    const child = spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const lines = await listen(child, () => undefined);
    assert.deepEqual(await exited, [0, null]);
    const numbers = lines.filter((line) => /^\d+$/.test(line)).map(Number);
    assert.deepEqual(lines.slice(numbers.length), ['JOURNAL_POISONED', 'JOURNAL_POISONED']);
    assert.ok(numbers.length > 100, `only ${numbers.length} entries fitted`);
    const after = `${place.directory}.after`;
    assert.ok(existsSync(after));
    await using journal = await openAt(after);
    const stored = (await collect(journal.read())).map(numberOf);
    assert.deepEqual(stored.slice(0, numbers.length), numbers);
  });
});
