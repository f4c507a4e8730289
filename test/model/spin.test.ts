/**
 * The protocol under a model checker: every order of events of small plants, with faults, and each rule shown to be
 * needed by what happens without it. Larger plants: `npm run model`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { buildChecker, type CheckerOptions, missingTool } from '../../scripts/model/checker.ts';
import { mutants, rules } from '../../scripts/model/rules.ts';

const missing = missingTool();
const directory = mkdtempSync(join(tmpdir(), 'holdfast-spin-'));
const built = new Map<string, ReturnType<typeof buildChecker>>();

function checker(options: Omit<CheckerOptions, 'directory'>): ReturnType<typeof buildChecker> {
  const key = JSON.stringify(options);
  const check = built.get(key) ?? buildChecker({ ...options, directory });
  built.set(key, check);
  return check;
}

// biome-ignore format: this is a table
const plants = [
  { units: 1, nests: 1, faults: 2, statesMin: 100_000, shortest: true },
  { units: 2, nests: 1, faults: 1, statesMin: 40_000, shortest: true },
  { units: 1, nests: 2, faults: 1, statesMin: 50_000, shortest: true },
  { units: 1, nests: 1, faults: 1, statesMin: 3_000, live: true },
  // With a reservation of long ago said again, as often as there are faults.
  { units: 1, nests: 1, faults: 1, statesMin: 3_000, live: true, replay: true },
];

describe('the model of the protocol', { skip: missing ?? false }, () => {
  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const { faults, statesMin, ...plant } of plants)
    it(`${'live' in plant ? 'lets every unit leave' : 'holds every property'}: ${plant.units} unit(s), ${plant.nests} nest(s), ${faults} fault(s)`, () => {
      const outcome = checker(plant)({ faults });
      assert.equal(outcome.violated, null, `fails after ${outcome.steps ?? 0} steps`);
      assert.ok(outcome.complete, 'the search did not end');
      assert.ok(outcome.states >= statesMin, `only ${outcome.states} states`);
      assert.deepEqual(outcome.unreached, [], 'statements that no run reaches');
    });

  for (const { without, means, caught, setting, why } of mutants)
    it(`${caught === null ? `bears that ${means}: ${why ?? ''}` : `fails when ${means}`}`, () => {
      const { units, nests, faults } = setting;
      const plant = caught === 'live' ? { units, nests, live: true } : { units, nests, shortest: true };
      const outcome = checker(plant)({ faults, without });
      assert.equal(outcome.violated, caught, `without ${without.join(' and ')}`);
      if (caught === null) assert.ok(outcome.complete && why !== undefined);
    });

  it('has a mutant for every rule, alone', () => {
    const alone = new Set(mutants.flatMap(({ without }) => (without.length === 1 ? without : [])));
    assert.deepEqual([...alone].sort(), [...rules].sort());
  });
});
