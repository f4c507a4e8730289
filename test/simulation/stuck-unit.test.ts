/** A unit that stays at its open gate: it is held and shown, and leaves when the way is free. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GATE_TRIES_MAX } from '../../runtime/core/operation/deadlines.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import { demandPassage } from '../../runtime/station/passage.ts';
import { createWorld } from '../../scripts/simulation/world.ts';
import { lanesOfUnit, pass, stationOf, until } from './by-hand.ts';

const MINUTE_MS = 60_000;

describe('a unit that does not pass its open gate', () => {
  it('is held after a bounded number of openings, is tried once after each hold, and leaves when it can', async () => {
    const world = await createWorld({ seed: 'stuck', units: 1, stations: 1, cheap: true });
    const { fixture, gateLog, program } = stationOf(world, 1);
    const nest = program.nests[0] ?? assert.fail();
    const openings = (): number => gateLog.filter(({ event }) => event === 'OPENED').length;
    await until(world, () => nest.view.facts.some(({ name }) => name === 'confirmed'), 'it is worked on');
    fixture.line.stick('unit', true);
    await until(world, () => nest.view.held?.code === 'GATE_PASSAGE_BLOCKED', 'it is held');
    assert.equal(openings(), GATE_TRIES_MAX);
    await pass(world, 3 * MINUTE_MS);
    assert.equal(nest.view.held?.code, 'GATE_PASSAGE_BLOCKED');
    assert.ok(openings() > GATE_TRIES_MAX && openings() < 10, `${openings()} openings in three minutes`);
    const arrivals = nest.view.facts.flatMap((fact) => (fact.name === 'arrived' ? [fact.arrival] : []));
    assert.equal(
      new Set(arrivals).size,
      arrivals.length,
      'each arrival is one visit, however often it is reported',
    );
    fixture.line.stick('unit', false);
    await until(world, () => lanesOfUnit(world, 1) === 'good', 'it leaves');
  });

  it('is another when somebody has taken it out, or one has left since', () => {
    const visit = { nest: 'a', visit: 'v' } as const;
    const ended = (name: string, reason: string) =>
      ({ ...visit, name, report: { reason } }) as unknown as Fact;
    const arrived = { ...visit, name: 'arrived' } as unknown as Fact;
    const closed = [arrived, ended('interrupted', 'timed-out')];
    const thrice = [...closed, ...closed, ...closed];
    assert.throws(() => demandPassage([...thrice, arrived]), /GATE_PASSAGE_BLOCKED/);
    for (const end of [ended('interrupted', 'presence-lost'), ended('released', 'none')])
      demandPassage([...thrice, arrived, end, arrived]);
    demandPassage([...closed, ...closed, arrived]);
  });
});
