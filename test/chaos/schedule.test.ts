import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nemeses } from '../../scripts/chaos/nemeses.ts';
import { noteOf, problemsOf } from '../../scripts/chaos/report.ts';
import { roundsOf } from '../../scripts/chaos/schedule.ts';

/** As many rounds as deal every misfortune once. */
const ONE_DECK = Math.ceil(nemeses.length / 2);

const shown = (seed: string, count: number) =>
  roundsOf(seed, count, nemeses).map((round) => ({ ...round, strikes: round.strikes.map(noteOf) }));

describe('the schedule of a chaos run', () => {
  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(shown('1', 30), shown('1', 30));
    assert.notDeepEqual(shown('1', 30), shown('2', 30));
  });

  it('begins alike however many rounds follow', () => {
    assert.deepEqual(shown('1', 30).slice(0, 5), shown('1', 5));
  });

  it('brings every misfortune before any comes again', () => {
    const kinds = shown('1', ONE_DECK).flatMap(({ strikes }) => strikes.map(({ kind }) => kind));
    assert.equal(new Set(kinds).size, nemeses.length);
  });

  it('lets two misfortunes meet only where neither undoes what the other strikes', () => {
    const pairs = roundsOf('1', 200, nemeses).flatMap(({ strikes: [first, second] }) =>
      first !== undefined && second?.together === true ? [[first.nemesis, second.nemesis] as const] : [],
    );
    assert.ok(pairs.length > 10);
    for (const [first, second] of pairs)
      assert.deepEqual(
        first.on.filter((name) => [...second.on, ...second.mayEnd].includes(name)),
        [],
        `${first.kind} with ${second.kind}`,
      );
  });

  it('has a name of its own for every misfortune, and says what is expected of each', () => {
    assert.equal(new Set(nemeses.map(({ kind }) => kind)).size, nemeses.length);
    assert.ok(nemeses.every(({ expects, on }) => expects !== '' && on.length > 0));
  });
});

describe('the report of a chaos run', () => {
  const report = {
    seed: '1',
    asked: 1,
    outcomes: [{ number: 1, strikes: [], problems: [], calmMs: 0, wallMs: 0 }],
    units: { fed: 4, left: 4, rejected: 0 },
    recoveriesMs: {},
    calmMs: { p50: 0, p99: 0 },
    wallSeconds: 1,
  };

  it('is content with a run that did what was asked', () => {
    assert.deepEqual(problemsOf(report), []);
  });

  it('fails a run with a unit that never left, with a round left out, or with too few units', () => {
    assert.match(problemsOf({ ...report, units: { ...report.units, left: 3 } }).join(), /1 units never left/);
    assert.match(problemsOf({ ...report, asked: 2 }).join(), /1 rounds were not run/);
    assert.match(
      problemsOf({ ...report, units: { fed: 2, left: 2, rejected: 0 } }).join(),
      /2 units are too few/,
    );
  });
});
