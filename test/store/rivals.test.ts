/** Two stations and one name: a few rounds of `npm run rivals`, on real PostgreSQL. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { rivals } from '../../scripts/fleet/rivals.ts';
import { privatePostgres } from './private-postgres.ts';

it('of two stations that ask for one EID, one chip or one unit at the same time exactly one wins', async () => {
  await using server = await privatePostgres(['fleet']);
  await using one = await openPostgresFleetStore(server.options('fleet'));
  await using two = await openPostgresFleetStore(server.options('fleet'));
  const report = await rivals({ stores: [one, two], rounds: 24, seed: 'suite', pauseMsMax: 1 });
  assert.deepEqual(report.problems, []);
  assert.ok(report.secondWon > 0 && report.secondWon < report.rounds, 'they did not really compete');
});
