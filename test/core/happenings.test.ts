/** What the gate controller says, and what it means for the unit in the nest. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fault, noteOf } from '../../runtime/core/faults.ts';
import { type ControllerReport, lanes, reasons, reportKinds } from '../../runtime/core/gate/release.ts';
import { factOfHappening, type Happening, happeningsOf } from '../../runtime/core/operation/happenings.ts';
import { step } from '../../runtime/core/operation/step.ts';
import { type State, transitions } from '../../runtime/core/operation/transitions.ts';
import { ARRIVAL, identity, release, report, VISIT } from './samples.ts';

const visit = { nest: 'a', visit: VISIT };
const saying = (arrival: number, left: Partial<ControllerReport['left']> = {}): ControllerReport => ({
  ...report,
  mac: '00'.repeat(16),
  arrival,
  left: { arrival: 0, counter: 0, lane: 'good', ...left },
});
const meanings = (of: ControllerReport, arrival: number | null): readonly string[] =>
  happeningsOf(of, arrival).map((what) => what.on);

describe('a report of the gate controller', () => {
  const cases: readonly (readonly [string, ControllerReport, number | null, readonly string[]])[] = [
    ['an empty nest that stays empty', saying(0), null, []],
    ['an arrival in an empty nest', saying(ARRIVAL), null, ['unit-arrived']],
    [
      'an arrival, while the last departure is still shown',
      saying(ARRIVAL, { arrival: 40 }),
      null,
      ['unit-arrived'],
    ],
    ['the unit that is known to be there', saying(ARRIVAL), ARRIVAL, []],
    ['the unit still there, another left before', saying(ARRIVAL, { arrival: 40 }), ARRIVAL, []],
    ['a departure by the good lane', saying(0, { arrival: ARRIVAL }), ARRIVAL, ['unit-left']],
    [
      'a departure by the reject lane',
      saying(0, { arrival: ARRIVAL, lane: 'reject' }),
      ARRIVAL,
      ['unit-diverted'],
    ],
    [
      'a departure and the next arrival',
      saying(42, { arrival: ARRIVAL }),
      ARRIVAL,
      ['unit-left', 'unit-arrived'],
    ],
    [
      'a diversion and the next arrival',
      saying(42, { arrival: ARRIVAL, lane: 'reject' }),
      ARRIVAL,
      ['unit-diverted', 'unit-arrived'],
    ],
    ['a unit taken by hand', saying(0, { arrival: 40 }), ARRIVAL, ['arrival-ended']],
    ['a unit exchanged by hand', saying(42, { arrival: 40 }), ARRIVAL, ['arrival-ended', 'unit-arrived']],
    [
      'two departures while nobody listened',
      saying(43, { arrival: 42 }),
      ARRIVAL,
      ['arrival-ended', 'unit-arrived'],
    ],
  ];
  for (const [name, said, arrival, expected] of cases)
    it(`means ${expected.join(' and ') || 'nothing new'}: ${name}`, () =>
      assert.deepEqual(meanings(said, arrival), expected));

  it('never makes a departure of a unit that the controller did not name as left', () => {
    const numbers = fc.integer({ min: 0, max: 4 });
    const reports = fc.record({
      kind: fc.constantFrom(...reportKinds),
      reason: fc.constantFrom(...reasons),
      arrival: numbers,
      left: fc.record({ arrival: numbers, counter: numbers, lane: fc.constantFrom(...lanes) }),
    });
    fc.assert(
      fc.property(reports, fc.option(fc.integer({ min: 1, max: 4 })), (said, arrival) => {
        const found = meanings({ ...saying(0), ...said }, arrival);
        const departed = found.includes('unit-left') || found.includes('unit-diverted');
        if (departed) assert.equal(said.left.arrival, arrival);
        assert.ok(found.filter((on) => on !== 'unit-arrived').length <= 1);
        assert.equal(found.includes('unit-arrived'), said.arrival !== 0 && said.arrival !== arrival);
      }),
    );
  });
});

describe('a happening', () => {
  const fault = new Fault('CARD_ABSENT', { reader: 'one' });
  const one: { readonly [On in Happening['on']]: Extract<Happening, { on: On }> } = {
    'unit-arrived': { on: 'unit-arrived', report: saying(ARRIVAL) },
    clamped: { on: 'clamped' },
    identified: { on: 'identified', identity },
    reserved: { on: 'reserved', receipt: 'r' },
    'list-issued': { on: 'list-issued', step: 'put-key', listHash: '00' },
    confirmed: { on: 'confirmed', receipt: 'c' },
    registered: { on: 'registered', receipt: 'g' },
    permitted: { on: 'permitted', release },
    'unit-left': { on: 'unit-left', report: saying(0) },
    condemned: { on: 'condemned', fault, verdict: null },
    'reject-registered': { on: 'reject-registered', receipt: 'x' },
    'unit-diverted': { on: 'unit-diverted', report: saying(0) },
    fault: { on: 'fault', fault },
    'resume-due': { on: 'resume-due' },
    'arrival-ended': { on: 'arrival-ended', report: saying(0) },
  };

  it('leaves the fact that the table asks for, in every state where it may happen', () => {
    for (const what of Object.values(one)) {
      const rows = transitions.filter((row) => row.on === what.on);
      assert.ok(rows.length > 0, what.on);
      for (const row of rows) {
        assert.equal(factOfHappening(what, visit).name, row.journal, `${row.from} ${what.on}`);
        assert.equal(step(row.from as State, what.on).append, row.journal);
      }
    }
  });

  it('is there for every trigger of the table', () => {
    assert.deepEqual(
      [...new Set(transitions.map((row) => row.on as string))].sort(),
      Object.keys(one).sort(),
    );
  });

  it('names its visit and its nest in the fact', () => {
    for (const what of Object.values(one)) {
      const fact = factOfHappening(what, visit);
      assert.ok(fact.nest === 'a' && fact.visit === VISIT, what.on);
    }
  });

  it('writes a fault as code and context, without stack and cause', () => {
    const cause = new Fault('JIG_LINK_LOST', {}, { cause: new Error('secret path') });
    assert.deepEqual(factOfHappening({ on: 'fault', fault: cause }, visit), {
      ...visit,
      name: 'held',
      fault: noteOf(cause),
    });
    assert.ok(!JSON.stringify(factOfHappening({ on: 'fault', fault: cause }, visit)).includes('secret'));
  });
});
