/** What the backend's role may do to the fleet database: add to what was logged, and change nothing of it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Database, openDatabase } from '../../drivers/store/postgres/database.ts';
import { prepareFleetDatabase } from '../../drivers/store/postgres/fleet-role.ts';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { holdfast } from '../cli/support.ts';
import { event } from '../fleet-log/grown-log.ts';
import { backendPorts } from '../orders/quota.ts';
import { operation, record, release, takeOne, unique } from './fleet-rows.ts';
import { type PrivatePostgres, privatePostgres } from './private-postgres.ts';

const ROLE = 'fleet_backend';
/** The tables of the present; all others are history. */
const CHANGING = [
  'controller',
  'log_head',
  'nest_claim',
  'operation',
  'operator_key',
  'ticket_quota',
  'unit_certificate',
];
const OWNERS = ['holdfast_migration', 'holdfast_migration_lock'];
let server: PrivatePostgres;

interface Table {
  readonly name: string;
  /** One of its columns. */
  readonly column: string;
}

let tables: readonly Table[];

async function as<T>(user: string | undefined, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase({
    ...server.options('fleet', user),
    applicationName: 'test',
    unavailableCode: 'STORE_UNAVAILABLE',
  });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** The SQLSTATE of what the server says to it. */
async function saidTo(text: string, database: Database): Promise<unknown> {
  try {
    await database.single({ text });
    return 'done';
  } catch (error) {
    return isFault(error) ? error.context.sqlState : error;
  }
}

const changesOf = ({ name, column }: Table): readonly string[] => [
  `update "${name}" set "${column}" = "${column}"`,
  `delete from "${name}"`,
  `truncate "${name}"`,
];

before(async () => {
  server = await privatePostgres(['fleet', 'bare'], [ROLE]);
  await prepareFleetDatabase(server.options('fleet'), ROLE);
  tables = await as(undefined, async (database) => {
    const text = `select table_name as name, min(column_name) as column
      from information_schema.columns where table_schema = 'public' group by 1 order by 1`;
    return database.single<Table>({ text });
  });
});
after(() => server[Symbol.asyncDispose]());

describe('the role of the backend', () => {
  it('does all that a backend does: reservations, records, releases, leaves, tiles and the head', async () => {
    await using store = await openPostgresFleetStore({
      ...server.options('fleet', ROLE),
      role: 'restricted',
    });
    const sequencer = new Sequencer(backendPorts(store), 16);
    await sequencer.load();
    const row = operation();
    await sequencer.add(async (draft) => {
      for (let i = 0; i < 300; i++) draft.append(event(i, 'well'));
      await draft.tx.insertOperation(row);
      assert.equal(await takeOne(draft.tx, unique('ticket'), 1), true);
      draft.records.push(record(1, row));
      draft.releases.push(release('gate-1', 1, row.operation));
      await draft.tx.controller(unique('gate'));
      await draft.tx.updateOperation({ ...row, state: 'rejected' });
      await draft.tx.disownOperation(row.operation);
    }, true);
    const { size } = await store.transaction((tx) => tx.readHead());
    assert.equal(size, 300);
    assert.equal(await store.transaction((tx) => tx.countTiles(0)), 1);
  });

  it('has no right to update, delete or truncate anything that was logged', async () => {
    const history = tables.filter(({ name }) => !CHANGING.includes(name));
    assert.ok(history.length > 15 && history.some(({ name }) => name === 'log_leaf'));
    await as(ROLE, async (database) => {
      for (const table of history)
        for (const change of changesOf(table)) assert.equal(await saidTo(change, database), '42501', change);
      for (const change of [
        'delete from log_head',
        'insert into holdfast_migration values (99, $$x$$, $$x$$)',
      ])
        assert.equal(await saidTo(change, database), '42501', change);
      assert.equal(await saidTo('alter table log_leaf disable trigger all', database), '42501');
    });
  });

  it('has a second wall behind it: not even the owner changes a row before the trigger is taken away', async () => {
    const history = tables.filter(({ name }) => ![...CHANGING, ...OWNERS].includes(name));
    await as(undefined, async (database) => {
      for (const table of history)
        for (const change of changesOf(table)) assert.equal(await saidTo(change, database), '23001', change);
    });
  });

  it('is asked for at the start of a backend: with the owner’s it does not begin', async () => {
    await assert.rejects(
      openPostgresFleetStore({ ...server.options('fleet'), role: 'restricted' }),
      (error) => {
        assert.ok(isFault(error));
        assert.deepEqual([error.code, error.context.setting], ['STORE_UNSAFE', 'role']);
        return true;
      },
    );
  });

  it('migrates nothing: that is told to be the owner’s, who may do it again and again', async () => {
    await assert.rejects(openPostgresFleetStore({ ...server.options('bare', ROLE), role: 'restricted' }), {
      code: 'STORE_SCHEMA',
    });
    const migrate = ['fleet', 'migrate', '--database', server.options('bare').url, '--role'];
    for (let i = 0; i < 2; i++) assert.equal((await holdfast([...migrate, ROLE])).code, 0);
    assert.match((await holdfast([...migrate, 'nobody_here'])).err, /\(STORE_SCHEMA\)/);
    await using _ = await openPostgresFleetStore({ ...server.options('bare', ROLE), role: 'restricted' });
  });

  it('must be there, and must not be a superuser', async () => {
    for (const role of ['holdfast', 'x; drop table log_leaf'])
      await assert.rejects(
        prepareFleetDatabase(server.options('bare'), role),
        { code: 'STORE_SCHEMA' },
        role,
      );
  });
});
