/** The blast radius: exactly the units that somebody had a hand in, and a plan that the backend executes as it stands. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { BlastRadius } from '../../runtime/core/history/blast-radius.ts';
import { touchedBy } from '../../scripts/fleet/oracle.ts';
import type { World } from '../../scripts/simulation/world.ts';
import type { Desk } from '../pki/command.ts';
import { deskOf, leavesIn, livedLine, MOVED, REJECTED, REVOKED, revoke, UNITS } from './fleet-line.ts';

const ALWAYS = { from: '0', to: '~' };

describe('holdfast fleet blast-radius', () => {
  let world: World;
  before(async () => {
    world = await livedLine();
    await revoke(world, { kind: 'eid', value: REVOKED });
  });

  const radiusOf = async (desk: Desk, ...aim: readonly string[]): Promise<BlastRadius> => {
    const { code, out, err } = await desk.holdfast('fleet', 'blast-radius', ...aim, '--json');
    assert.equal(code, 0, err);
    return JSON.parse(out) as BlastRadius;
  };
  const eidsOf = ({ units }: BlastRadius): readonly string[] => units.map(({ eid }) => eid).sort();

  it('is by whatever it is asked what a naive reading of the whole log finds', async () => {
    await using desk = deskOf(world);
    const log = leavesIn(world);
    const [recorded] = log.filter(({ kind }) => kind === 'registration');
    const { operator, stationSoftware } = recorded?.body ?? assert.fail('nothing was registered');
    const questions = [
      ['station', 'station', 'station-2'],
      ['operator', 'operator', String(operator)],
      ['ticket', 'ticket', 'SIM-1'],
      ['intermediate', 'intermediate', 'line-1'],
      ['gateway', 'gateway', 'gateway-1'],
      ['master-generation', 'generation', '1'],
      ['software', 'stationSoftware', String(stationSoftware)],
    ] as const;
    for (const [option, field, value] of questions) {
      const found = eidsOf(await radiusOf(desk, `--${option}`, value));
      const wanted = new Set(touchedBy(field, value, ALWAYS, log));
      // The oracle has the generation of a rejected unit elsewhere.
      if (option === 'master-generation') wanted.add(REJECTED);
      assert.deepEqual(found, [...wanted].sort(), option);
      assert.ok(found.length > 0, option);
    }
  });

  it('has a unit that was moved away in mid-work, and one that was rejected with keys on it', async () => {
    await using desk = deskOf(world);
    const { units } = await radiusOf(desk, '--station', 'station-1');
    assert.equal(units.find(({ eid }) => eid === MOVED)?.how, 'begun');
    const all = await radiusOf(desk, '--ticket', 'SIM-1');
    assert.equal(all.units.find(({ eid }) => eid === REJECTED)?.how, 'rejected');
    assert.equal(all.units.length, UNITS);
  });

  it('ends where its time ends', async () => {
    await using desk = deskOf(world);
    const made = leavesIn(world).filter(
      ({ kind, body }) => kind === 'registration' && body.station === 'station-2',
    );
    const [first, second] = made;
    if (first === undefined || second === undefined) return assert.fail('station 2 has made too few');
    const within = await radiusOf(desk, '--station', 'station-2', '--from', first.at, '--to', second.at);
    assert.deepEqual(eidsOf(within), [first.body.eid]);
  });

  it('counts what is dead already, what would die besides, and what is to be rotated', async () => {
    await using desk = deskOf(world);
    const radius = await radiusOf(desk, '--station', 'station-2');
    const all = await radiusOf(desk, '--ticket', 'SIM-1');
    const [issuer] = radius.issuers;
    assert.equal(all.revoke.length + all.revokedBefore, UNITS - 1);
    assert.equal(all.revokedBefore, 1);
    assert.equal(issuer?.issued, UNITS - 1);
    assert.equal(issuer?.collateral, UNITS - 1 - radius.revoke.length - radius.revokedBefore);
    assert.deepEqual(all.rotate, [{ generation: 1, keyVersion: 0x31, units: UNITS }]);
  });

  it('has the backend make a plan that officers approve and that is executed as it stands', async () => {
    await using desk = deskOf(world);
    const plan = desk.at('plan.json');
    const socket = ['--dir', desk.directory];
    desk.write('backend.json', JSON.stringify({ instructionSocket: 'backend.socket' }));
    const asked = ['--gateway', 'gateway-1', '--plan', plan, '--reason', 'superseded', ...socket];
    const { code, out, err } = await desk.holdfast('fleet', 'blast-radius', ...asked);
    assert.equal(code, 0, err);
    assert.match(out, /2 of ada, bob for the plan [0-9a-f]{64}/);
    const said = JSON.parse(desk.read('plan.json')) as { certificates: { eid: string }[] };
    const radius = await radiusOf(desk, '--gateway', 'gateway-1');
    assert.deepEqual(
      said.certificates.map(({ eid }) => eid).sort(),
      radius.revoke.map(({ eid }) => eid).sort(),
    );
    assert.ok(!said.certificates.some(({ eid }) => eid === REVOKED));
  });

  it('takes one aim, and a number where a generation is', async () => {
    await using desk = deskOf(world);
    for (const wrong of [[], ['--station', 'a', '--ticket', 'b'], ['--master-generation', 'first']])
      assert.equal((await desk.holdfast('fleet', 'blast-radius', ...wrong)).code, 2);
  });
});
