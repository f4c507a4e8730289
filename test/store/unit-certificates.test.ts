/** A fleet database of before there were certificates by batch, and traces, finds them: migrations read what is kept. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openDatabase } from '../../drivers/store/postgres/database.ts';
import { fleetMigrations } from '../../drivers/store/postgres/fleet-migrations.ts';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { livedLine, UNITS } from '../fleet/fleet-line.ts';
import { privatePostgres } from './private-postgres.ts';

it('migrations find the same certificates and traces as the store does when they are made', async () => {
  const world = await livedLine();
  const records = world.fleet.tables.records.all();
  assert.equal(records.length, UNITS - 1);
  const bare = {
    ...records[0],
    operation: 'bare',
    eid: 'bare',
    certificateSerial: null,
    publicKeyHash: null,
  };
  await using server = await privatePostgres(['fleet']);
  await using store = await openPostgresFleetStore(server.options('fleet'));
  await store.transaction((tx) => tx.insertRecords([...records, bare as (typeof records)[0]]));
  const found = () => store.transaction((tx) => tx.certificatesBy('batch', 'SIM-BATCH-1', 10));
  const made = await found();
  assert.deepEqual(made.map(({ eid }) => eid).sort(), records.map(({ eid }) => eid).sort());

  const statement = fleetMigrations
    .flatMap(({ statements }) => statements)
    .find((one) => /into unit_certificate/.test(one));
  const options = {
    ...server.options('fleet'),
    applicationName: 'test',
    unavailableCode: 'STORE_UNAVAILABLE',
  } as const;
  const database = await openDatabase(options);
  await database.single({ text: 'delete from unit_certificate' });
  assert.deepEqual(await found(), []);
  for (let i = 0; i < 2; i++) await database.single({ text: statement ?? assert.fail() });
  assert.deepEqual(await found(), made);

  // The leaves of a departure are younger than the traces.
  const leaves = world.fleet.tables.leaves.all().filter(({ key }) => !key.startsWith('event/'));
  await store.transaction((tx) => tx.insertLeaves(leaves));
  const all = { text: 'select * from leaf_trace where part = 0 order by leaf_index' };
  const traced = await database.single<{ kind: string }>(all);
  const kinds = new Set(traced.map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ['appearance', 'registration', 'rejection']);
  const tracing = fleetMigrations
    .flatMap(({ statements }) => statements)
    .find((one) => /into leaf_trace/.test(one));
  await database.single({ text: 'delete from leaf_trace' });
  for (let i = 0; i < 2; i++) await database.single({ text: tracing ?? assert.fail() });
  assert.deepEqual(await database.single(all), traced);
  await database.close();
});
