/** A claim of an EID against everything that may be known of it: every combination, and what each kind means. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faults } from '../../runtime/core/faults.ts';
import {
  type Claim,
  type Coming,
  type Judged,
  judgeAppearance,
  type Known,
} from '../../runtime/core/operation/appearance.ts';
import type { OperationRow, OperationState } from '../../runtime/core/store/fleet.ts';

const claim: Claim = {
  eid: 'EID-1',
  seFingerprint: 'chip-1',
  station: 'station-1',
  nest: 'a',
  attempt: 'try-2',
};
const states: readonly OperationState[] = ['reserved', 'recorded', 'released', 'rejected', 'diverted'];
const comings = {
  repeated: { station: 'station-1', nest: 'a', attempt: 'try-2' },
  here: { station: 'station-1', nest: 'a', attempt: 'try-1' },
  'other-nest': { station: 'station-1', nest: 'b', attempt: 'try-2' },
  'other-station': { station: 'station-2', nest: 'a', attempt: 'try-2' },
} as const satisfies Record<Coming, Pick<Claim, 'station' | 'nest' | 'attempt'>>;
const nothing: Known = { ofEid: null, ofChip: null, disowned: null, departed: null };

function row(
  eid: string,
  seFingerprint: string,
  state: OperationState,
  coming: Coming = 'other-station',
): OperationRow {
  const shared = { ticket: 'T-1', ticketHash: 'aa', generation: 1, keyVersion: 0x31, epoch: 3 };
  const at = { reservedAt: '2026-11-22T10:00:00.000Z', attemptedAt: '2026-11-22T10:00:00.000Z' };
  const operation = `${eid} on ${seFingerprint}`;
  return { ...shared, ...at, ...comings[coming], operation, eid, seFingerprint, state };
}

/** Every operation that may be known of an EID and a chip. */
function operationsOf(eid: string, seFingerprint: string): readonly (OperationRow | null)[] {
  const comingNames = Object.keys(comings) as Coming[];
  return [
    null,
    ...states.flatMap((state) => comingNames.map((coming) => row(eid, seFingerprint, state, coming))),
  ];
}

/** Everything that the store can hold: an EID and a chip each belong to one operation at most. */
function* everything(): Generator<Known> {
  const disownedOnes = [null, row('EID-1', 'chip-1', 'rejected')];
  const bindings = [
    ...operationsOf('EID-1', 'chip-1').map((both) => ({ ofEid: both, ofChip: both })),
    ...operationsOf('EID-1', 'chip-2').flatMap((ofEid) =>
      operationsOf('EID-2', 'chip-1').map((ofChip) => ({ ofEid, ofChip })),
    ),
  ];
  for (const disowned of disownedOnes)
    for (const binding of bindings)
      for (const departed of [null, binding.ofEid?.operation ?? null, 'another operation'])
        yield { ...binding, disowned, departed };
}

const judge = (known: Partial<Known>): Judged => judgeAppearance(claim, { ...nothing, ...known });
const same = (state: OperationState, coming: Coming, departed = false) => {
  const both = row('EID-1', 'chip-1', state, coming);
  return judge({ ofEid: both, ofChip: both, departed: departed ? both.operation : null });
};

describe('a chip that shows an EID', () => {
  it('is judged the same way whatever else is known', () => {
    let judged = 0;
    for (const known of everything()) {
      const { appearance, outcome, fault, event, operation } = judgeAppearance(claim, known);
      const { ofEid, ofChip, disowned, departed } = known;
      const own = ofEid !== null && ofEid === ofChip ? ofEid : null;
      const open = own !== null && ['reserved', 'recorded'].includes(own.state) && own.operation !== departed;
      const why = JSON.stringify(known);
      judged += 1;
      assert.equal(outcome === 'reserve', !ofEid && !ofChip && !disowned, why);
      assert.equal(outcome === 'raise' || outcome === 'answer', open, why);
      assert.equal(outcome === 'refuse', fault !== null, why);
      assert.equal(appearance === 'first', operation === null, why);
      if (open) assert.equal(operation, own, why);
      if (outcome === 'answer') assert.equal(own?.attempt, claim.attempt, why);
      if (own === null && fault !== null) assert.ok(event, `${fault} is in the log: ${why}`);
    }
    assert.ok(judged > 2000);
  });

  it('gets an operation of its own when neither EID nor chip is known', () => {
    const { appearance, outcome, event } = judge({});
    assert.deepEqual([appearance, outcome, event], ['first', 'reserve', false]);
  });

  it('resumes its open operation, where it was or elsewhere; that it moved is an event', () => {
    for (const state of ['reserved', 'recorded'] as const) {
      const seen = (coming: Coming) => {
        const { appearance, outcome, event } = same(state, coming);
        return [appearance, outcome, event];
      };
      assert.deepEqual(seen('repeated'), ['repeated', 'answer', false]);
      assert.deepEqual(seen('here'), ['resume', 'raise', false]);
      assert.deepEqual(seen('other-nest'), ['nest-swap', 'raise', true]);
      assert.deepEqual(seen('other-station'), ['moved', 'raise', true]);
    }
  });

  it('is refused as rework once it has left, and so is one whose departure is reported only now', () => {
    for (const coming of ['here', 'other-nest', 'other-station'] as const)
      for (const judged of [same('released', coming), same('recorded', coming, true)])
        assert.deepEqual(
          [judged.appearance, judged.fault, judged.event],
          ['rework', 'UNIT_RELEASED_BEFORE', true],
        );
  });

  it('is rejected again once it was rejected, of its operation or of a claim that was never proved', () => {
    const disowned = row('EID-1', 'chip-1', 'rejected');
    for (const judged of [
      same('rejected', 'here'),
      same('diverted', 'other-station'),
      judge({ disowned }),
      judge({ disowned, ofEid: row('EID-1', 'chip-2', 'recorded') }),
    ])
      assert.deepEqual(
        [judged.appearance, judged.fault, judged.event],
        ['returned', 'UNIT_REJECTED_BEFORE', true],
      );
  });

  it('is no event when an old request arrives once more', () => {
    for (const state of ['released', 'rejected', 'diverted'] as const) {
      const { appearance, outcome, event } = same(state, 'repeated');
      assert.deepEqual([appearance, outcome, event], ['repeated', 'refuse', false]);
    }
  });

  it('is a clone when its EID belongs to another chip, whatever became of that one', () => {
    for (const state of states) {
      const ofEid = row('EID-1', 'chip-2', state);
      const judged = judge({ ofEid });
      assert.deepEqual([judged.appearance, judged.fault, judged.event], ['clone', 'UNIT_CLONED', true]);
      assert.equal(judged.operation, ofEid);
    }
  });

  it('is relabelled when the chip is known by another EID, also where that EID is another chip’s', () => {
    for (const state of states)
      for (const ofEid of [null, row('EID-1', 'chip-2', 'released')]) {
        const ofChip = row('EID-2', 'chip-1', state);
        const judged = judge({ ofEid, ofChip });
        assert.deepEqual(
          [judged.appearance, judged.fault, judged.event],
          ['relabel', 'UNIT_RELABELLED', true],
        );
        assert.equal(judged.operation, ofChip);
      }
  });

  it('stays in the nest when it is not who it says, for the security officer to see', () => {
    for (const code of ['UNIT_CLONED', 'UNIT_RELABELLED', 'UNIT_RELEASED_BEFORE'] as const)
      assert.equal(faults[code].disposition, 'hold');
    for (const code of ['UNIT_CLONED', 'UNIT_RELABELLED'] as const)
      assert.match(faults[code].remedy, /security officer/);
  });
});
