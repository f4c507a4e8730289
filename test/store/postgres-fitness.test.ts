import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { fleetMigrations } from '../../drivers/store/postgres/fleet-migrations.ts';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { openPostgresLedger } from '../../drivers/store/postgres/ledger.ts';
import { assertSafe, type SafetyRow } from '../../drivers/store/postgres/safety.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { operation, takeOne } from './fleet-rows.ts';
import { type PrivatePostgres, privatePostgres } from './private-postgres.ts';

const USER = 'holdfast';
let server: PrivatePostgres;

before(async () => {
  server = await privatePostgres(['fleet', 'other']);
});
after(() => server[Symbol.asyncDispose]());

describe('a server that is not fit', () => {
  it('is refused when it may lose what it acknowledges', async () => {
    await sql('fleet', 'alter database other set synchronous_commit = off');
    const setting = { setting: 'synchronous_commit', value: 'off' };
    await assert.rejects(openPostgresFleetStore(server.options('other')), refused('STORE_UNSAFE', setting));
    await sql('fleet', 'alter database other reset synchronous_commit');
    await sql('fleet', 'alter database other set default_transaction_read_only = on');
    const readOnly = { setting: 'transaction_read_only', value: 'on' };
    await assert.rejects(openPostgresFleetStore(server.options('other')), refused('STORE_UNSAFE', readOnly));
    await sql('fleet', 'alter database other reset all');
  });

  it('is refused when its schema is changed, newer, or another', async () => {
    const options = server.options('other');
    await (await openPostgresFleetStore(options)).close();
    await assert.rejects(
      openPostgresLedger(options),
      refused('STORE_SCHEMA', { migration: 1, why: 'another content' }),
    );
    const newer = fleetMigrations.length + 1;
    await sql('other', `insert into holdfast_migration (id, title, sha256) values (${newer}, 'next', 'aa')`);
    await assert.rejects(
      openPostgresFleetStore(options),
      refused('STORE_SCHEMA', { migration: newer, why: 'newer than this program' }),
    );
    await sql('other', 'delete from holdfast_migration where id = 1');
    await assert.rejects(openPostgresFleetStore(options), refused('STORE_SCHEMA', { migration: 2 }));
  });

  it('is migrated again over what an interrupted migration left', async () => {
    const options = server.options('other');
    await sql('other', 'delete from holdfast_migration; drop table log_head; drop index rejection_by_leaf');
    await using store = await openPostgresFleetStore(options);
    assert.equal((await store.transaction((tx) => tx.readHead())).size, 0);
  });

  it('serves a backend that may only insert into the tables of the audit', async () => {
    const audit = `confirmation, custody, rejection, appearance, disowned_operation, gate_release, station_event,
      identity_record, log_leaf, station_event_subject, ticket_unit, revoked_station`;
    const rest = 'operation, ticket_quota, controller, log_head, nest_claim, unit_certificate';
    await sql(
      'other',
      `create role backend login; grant select, insert on ${audit}, ${rest} to backend;
       grant update on ${rest} to backend; grant delete on operation to backend; grant select on holdfast_migration to backend`,
    );
    const url = server.options('other').url.replace(`user=${USER}`, 'user=backend');
    await using store = await openPostgresFleetStore({ ...server.options('other'), url });
    await store.transaction(async (tx) => {
      const row = operation();
      await tx.insertOperation(row);
      await tx.disownOperation(row.operation);
      assert.equal(await takeOne(tx, 't', 1), true);
      await tx.controller('gate');
      await tx.updateHead(await tx.lockHead());
      const sha256 = '';
      await tx.insertConfirmations([{ operation: 'x', epoch: 1, jws: '', sha256, leafIndex: 0 }]);
      assert.equal((await tx.confirmationsOf('x')).length, 1);
    });
  });
});

describe('numbers', () => {
  it('beyond 2^53 are an error, not another number', async () => {
    await (await openPostgresFleetStore(server.options('fleet'))).close();
    await sql('fleet', `insert into controller values ('far', 9007199254740993, 0, 0, 0, 0)`);
    await using store = await openPostgresFleetStore(server.options('fleet'));
    await assert.rejects(store.transaction((tx) => tx.controller('far')));
  });
});

describe('what a server says of itself', () => {
  const fit: SafetyRow = {
    version: 'PostgreSQL 15.18 on x86_64',
    versionNumber: '150018',
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    data_checksums: 'on',
    in_hot_standby: 'off',
    transaction_read_only: 'off',
  };
  const unfit = (row: Partial<SafetyRow>, setting: string) =>
    assert.throws(() => assertSafe({ ...fit, ...row }), refused('STORE_UNSAFE', { setting }));

  it('decides, and the setting to correct is named', () => {
    assert.deepEqual(assertSafe(fit), []);
    assert.deepEqual(assertSafe({ ...fit, synchronous_commit: 'remote_apply' }), []);
    assert.deepEqual(assertSafe({ ...fit, data_checksums: 'off' }), ['data_checksums']);
    unfit({ versionNumber: '140009' }, 'server_version_num');
    unfit({ versionNumber: null }, 'server_version_num');
    unfit({ fsync: 'off' }, 'fsync');
    unfit({ full_page_writes: 'off' }, 'full_page_writes');
    unfit({ synchronous_commit: 'off' }, 'synchronous_commit');
    unfit({ in_hot_standby: 'on' }, 'in_hot_standby');
  });
});

async function sql(database: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.options(database).url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

function refused(code: string, context: object): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isFault(error), String(error));
    assert.equal(error.code, code);
    assert.deepEqual({ ...error.context, ...context }, error.context);
    return true;
  };
}
