/** The time machine: what the log says of a unit's credentials at every instant of its life. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { rebuild } from '../../runtime/cli/fleet/history.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { UNIT_LEAVES_MAX, unitHistoryOf } from '../../runtime/core/history/unit-history.ts';
import { type UnitState, unitStateOf } from '../../runtime/core/history/unit-state.ts';
import { fewWords } from '../../scripts/fleet/few-words.ts';
import { opinionOf } from '../../scripts/fleet/oracle.ts';
import type { World } from '../../scripts/simulation/world.ts';
import { deskOf, during, leavesIn, livedLine, MOVED, REJECTED, REVOKED, revoke } from './fleet-line.ts';

describe('holdfast fleet state', () => {
  let world: World;
  before(async () => {
    world = await livedLine();
    await revoke(world, { kind: 'eid', value: REVOKED });
  });

  const stateOf = async (eid: string, at: string) => {
    await using desk = deskOf(world);
    const { code, out, err } = await desk.holdfast('fleet', 'state', '--eid', eid, '--at', at, '--json');
    return { code, err, state: JSON.parse(out) as UnitState & { proof: { leaves: number[]; size: number } } };
  };

  it('is at every instant and for every unit what a naive reading of the whole log says', async () => {
    const log = leavesIn(world);
    const instants = [...new Set(log.map(({ at }) => at))];
    const eids = [...new Set(world.fleet.tables.operations.all().map(({ eid }) => eid))];
    const told = new Set<string>();
    const { leaves, revocations, revokedIssuers } = world.fleet.tables;
    for (const eid of eids)
      for (const at of instants) {
        const rows = {
          leaves: leaves.all().filter(({ index }) => log.some((one) => one.index === index && one.at <= at)),
          revocations: revocations.all(),
          fallen: revokedIssuers.all(),
        };
        const opinion = opinionOf(eid, at, log);
        assert.deepEqual(fewWords(unitStateOf(eid, unitHistoryOf(rows, at))), opinion, `${eid} at ${at}`);
        told.add(opinion.life);
      }
    assert.deepEqual([...told].sort(), ['RECORDED', 'REJECTED', 'RELEASED', 'REVOKED', 'none']);
  });

  it('finds the same by the index of the store, and names the leaves that prove it', async () => {
    const log = leavesIn(world);
    for (const eid of [MOVED, REJECTED, REVOKED]) {
      const at = instantAfter(log);
      const { code, state } = await stateOf(eid, at);
      assert.equal(code, 0);
      assert.deepEqual(fewWords(state), opinionOf(eid, at, log));
      assert.ok(state.proof.leaves.every((index) => log[index] !== undefined));
      assert.equal(state.proof.size, log.length);
    }
  });

  it('says of a revoked unit that it was good until the leaf of the plan', async () => {
    const { at: revokedAt } = leavesIn(world).find(({ kind }) => kind === 'revocation') ?? assert.fail();
    const [then, now] = [
      await stateOf(REVOKED, new Date(Date.parse(revokedAt) - 1).toISOString()),
      await stateOf(REVOKED, instantAfter(leavesIn(world))),
    ];
    assert.deepEqual(
      [then.state, now.state].map(({ life, certificates }) => [life?.state, certificates[0]?.standing]),
      [
        ['RELEASED', 'good'],
        ['REVOKED', 'revoked'],
      ],
    );
    assert.equal(now.state.life?.predecessor, then.state.life?.leafIndex);
  });

  it('lists what may be on the chip of a rejected unit, with versions and generation, and never a key', async () => {
    const { state } = await stateOf(REJECTED, instantAfter(leavesIn(world)));
    assert.deepEqual(
      state.keySets.map(({ keyVersion, generation, standing, listed }) => [
        keyVersion,
        generation,
        standing,
        listed,
      ]),
      [[0x31, 1, 'unproved', true]],
    );
  });

  it('tells keys, transport set, certificate, station with its program, gateway, operator and order', async () => {
    const { state } = await stateOf(MOVED, instantAfter(leavesIn(world)));
    const [set] = state.keySets;
    assert.deepEqual([set?.standing, set?.generation, set?.checkValues?.length], ['proved', 1, 3]);
    assert.deepEqual([state.transport?.standing, state.transport?.keyVersion], ['deleted', 0x30]);
    assert.equal(state.certificates[0]?.issuer, 'line-1');
    const [held] = state.custody;
    assert.deepEqual(
      [held?.station, held?.gateway, held?.ticket, /^holdfast \d/.test(held?.stationSoftware ?? '')],
      ['station-2', 'gateway-1', 'SIM-1', true],
    );
    assert.ok(held?.operator);
  });

  it('answers with no part of a history that is longer than it reads', async () => {
    const [leaf] = world.fleet.tables.leaves.all();
    const many = Array.from({ length: UNIT_LEAVES_MAX }, () => leaf ?? assert.fail());
    const store = world.fleet.connect();
    const rebuilt = store.transaction((tx) =>
      rebuild(MOVED, '2999', { ...tx, leavesAbout: async () => many }),
    );
    await assert.rejects(
      during(world, rebuilt),
      (error) => isFault(error) && error.code === 'HISTORY_TOO_LONG',
    );
  });

  it('knows nothing of a unit before its record', async () => {
    const { code, err, state } = await stateOf(MOVED, '2000-01-01T00:00:00Z');
    assert.deepEqual([code, state.life, state.keySets], [1, null, []]);
    assert.match(err, /no record of this unit before 2000/);
  });
});

function instantAfter(log: readonly { readonly at: string }[]): string {
  const last =
    log
      .map(({ at }) => at)
      .sort()
      .at(-1) ?? assert.fail();
  return new Date(Date.parse(last) + 1).toISOString();
}
