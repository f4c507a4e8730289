import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { backUpDatabase, restoreDatabase } from '../../drivers/backup/postgres.ts';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import type { RecordRow } from '../../runtime/core/store/fleet.ts';
import { type PrivatePostgres, privatePostgres } from '../store/private-postgres.ts';
import { copyFleet, query } from './fleet-copy.ts';
import { inProcess, simulatedLine } from './support.ts';

const top = mkdtempSync(join(tmpdir(), 'cli-backup-'));
const file = join(top, 'fleet.age');
const identity = join(top, 'key.txt');
const other = join(top, 'other.txt');
const backup = { backUp: backUpDatabase, restore: restoreDatabase };

const TABLES = "select tablename from pg_tables where schemaname = 'public'";

let server: PrivatePostgres;
let recipient: string;
let records: readonly RecordRow[];

const url = (database: string): string => server.options(database).url;

function newKey(path: string): string {
  execFileSync('age-keygen', ['-o', path], { stdio: 'ignore' });
  return execFileSync('age-keygen', ['-y', path], { encoding: 'utf8' }).trim();
}

const backUp = (to: string) =>
  inProcess(['fleet', 'backup', '--database', url('fleet'), '--to', to, '--recipient', recipient], {
    backup,
  });

const restore = (from: string, key: string, database: string) =>
  inProcess(['fleet', 'restore', '--from', from, '--identity', key, '--database', url(database)], { backup });

async function recordsIn(database: string): Promise<readonly RecordRow[]> {
  await using store = await openPostgresFleetStore(server.options(database));
  return await store.transaction((tx) => tx.recordsFrom(0, 100));
}

before(async () => {
  recipient = newKey(identity);
  newKey(other);
  server = await privatePostgres(['fleet', 'empty', 'whole']);
  const { fleet } = await simulatedLine(2);
  await using store = await openPostgresFleetStore(server.options('fleet'));
  await copyFleet(fleet, store, [], (head) => head);
  records = await store.transaction((tx) => tx.recordsFrom(0, 100));
  assert.equal(records.length, 2);
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(top, { recursive: true });
});

describe('a backup of the fleet database', () => {
  it('is one file that nobody can read without the secret key', async () => {
    const { code, err } = await backUp(file);
    assert.equal(code, 0, err);
    const bytes = readFileSync(file);
    assert.match(bytes.toString('latin1'), /^age-encryption\.org\/v1\n/);
    for (const { eid, operation } of records)
      assert.ok(!bytes.includes(eid) && !bytes.includes(operation), 'it shows what is in it');
    assert.equal((await restore(file, other, 'empty')).code, 1);
    assert.deepEqual(await query(url('empty'), TABLES), []);
  });

  it('is put back into an empty database alone, whole or not at all', async () => {
    const { code, err } = await restore(file, identity, 'whole');
    assert.equal(code, 0, err);
    assert.deepEqual(await recordsIn('whole'), records);
    const again = await restore(file, identity, 'whole');
    assert.equal(again.code, 1);
    assert.match(again.err, /BACKUP_FAILED/);
    assert.deepEqual(await recordsIn('whole'), records);
  });

  it('that was cut short puts nothing back', async () => {
    const short = join(top, 'short.age');
    writeFileSync(short, readFileSync(file).subarray(0, -64));
    assert.equal((await restore(short, identity, 'empty')).code, 1);
    assert.deepEqual(await query(url('empty'), TABLES), []);
  });

  it('never replaces another, and leaves none where it fails', async () => {
    const before = readFileSync(file);
    assert.equal((await backUp(file)).code, 2);
    assert.deepEqual(readFileSync(file), before);
    const nowhere = join(top, 'nowhere.age');
    const lost = ['fleet', 'backup', '--database', url('none'), '--to', nowhere, '--recipient', recipient];
    const { code, err } = await inProcess(lost, { backup });
    assert.equal(code, 1);
    assert.match(err, /BACKUP_FAILED[\s\S]*none/);
    assert.ok(!existsSync(nowhere) && !existsSync(`${nowhere}.part`));
  });
});
