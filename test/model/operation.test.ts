/**
 * Explores every reachable journal of two visits: every happening in every order, with the power cut after
 * every append. The invariants must hold in all of them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Fact, FactName } from '../../runtime/core/operation/facts.ts';
import { gate } from '../../runtime/core/operation/gate.ts';
import { recover, step } from '../../runtime/core/operation/step.ts';
import {
  type Action,
  type State,
  type Trigger,
  toMermaid,
  transitions,
} from '../../runtime/core/operation/transitions.ts';

const FACTS_MAX = 13;
const triggers = [...new Set(transitions.map((t) => t.on))];

interface World {
  readonly state: State;
  readonly facts: readonly FactName[];
}
type Visit = (
  world: World,
  after: { readonly perform: Action | null; readonly facts: readonly FactName[]; readonly state: State },
) => void;

const asFacts = (names: readonly FactName[]): readonly Fact[] =>
  names.map((name) => ({ name, nest: 'a', visit: 'v' }) as unknown as Fact);
const noProblems = (): readonly string[] => [];

/** `judging` moves on only when the gate permits it, as the station does. */
function allowed(world: World, trigger: Trigger): boolean {
  return trigger !== 'permitted' || gate(asFacts(world.facts), noProblems).open;
}

function explore(visit: Visit): number {
  const seen = new Set<string>();
  const frontier: World[] = [{ state: 'vacant', facts: [] }];
  for (let world = frontier.pop(); world !== undefined; world = frontier.pop()) {
    const key = `${world.state} ${world.facts.join()}`;
    if (seen.has(key) || world.facts.length >= FACTS_MAX) continue;
    seen.add(key);
    for (const trigger of triggers.filter((t) => allowed(world, t))) {
      const next = step(world.state, trigger);
      if (next.append === null) {
        assert.equal(next.state, world.state);
        continue;
      }
      const facts = [...world.facts, next.append];
      visit(world, { perform: next.perform, facts, state: next.state });
      frontier.push({ state: next.state, facts });
    }
  }
  return seen.size;
}

describe('the operation, in every reachable journal', () => {
  it('opens the gate only for a unit that is identified, reserved, confirmed and registered', () => {
    let opened = 0;
    const journals = explore((_, after) => {
      if (after.perform !== 'open') return;
      opened += 1;
      assert.deepEqual(gate(asFacts(after.facts), noProblems), { open: true });
    });
    assert.ok(journals > 3000 && opened > 10, `explored only ${journals} journals with ${opened} openings`);
  });

  it('comes back from a power cut in the state it was in', () => {
    explore((_, after) => assert.equal(recover(after.facts).state, after.state));
  });

  it('never opens the good gate for a unit that was condemned in this visit', () => {
    explore((_, after) => {
      const visit = after.facts.slice(after.facts.lastIndexOf('arrived'));
      if (visit.includes('reject-intent')) assert.notEqual(after.perform, 'open');
    });
  });

  it('diverts only after the backend has recorded the reject', () => {
    explore((_, after) => {
      if (after.perform !== 'divert') return;
      const visit = after.facts.slice(after.facts.lastIndexOf('arrived'));
      assert.ok(visit.includes('reject-intent') && visit.includes('reject-registered'));
    });
  });

  it('keeps the gate shut while no unit is in the nest', () => {
    explore((world) => {
      if (world.state === 'vacant') assert.equal(gate(asFacts(world.facts), noProblems).open, false);
    });
  });

  it('needs every receipt anew after a resumption', () => {
    explore((world) => {
      const last = world.facts.lastIndexOf('resumed');
      const visit = world.facts.lastIndexOf('arrived');
      if (last > visit && !world.facts.slice(last).includes('registered'))
        assert.equal(gate(asFacts(world.facts), noProblems).open, false);
    });
  });

  it('holds when a receipt does not convince', () => {
    const facts = asFacts(['arrived', 'clamped', 'identified', 'reserved', 'confirmed', 'registered']);
    assert.deepEqual(
      gate(facts, () => ['another unit']),
      { open: false, missing: ['another unit'] },
    );
  });

  it('ends every visit by a lane or an interruption, and every hold can be resumed', () => {
    for (const state of new Set(transitions.map((t) => t.to)).values()) {
      if (state === 'vacant') continue;
      const on = transitions.filter((t) => t.from === state).map((t): string => t.on);
      assert.ok(on.includes('arrival-ended'), `${state} ignores that the unit is gone`);
      assert.ok(
        on.includes('fault') || state === 'held' || state === 'reject-held',
        `${state} ignores faults`,
      );
      if (state === 'held' || state === 'reject-held') assert.ok(on.includes('resume-due'));
    }
  });

  it('says what a restart does with every action, and can tell every row from its fact', () => {
    const seen = new Set<string>();
    for (const row of transitions) {
      assert.equal(row.perform === null, row.restart === null);
      const key = `${row.from} ${row.journal}`;
      assert.ok(!seen.has(key), `two rows from ${key}`);
      seen.add(key);
    }
  });

  it('draws itself into ARCHITECTURE.md', () => {
    assert.ok(readFileSync('ARCHITECTURE.md', 'utf8').includes(toMermaid()), 'run npm run docs');
  });
});
