/** What a rejection does to the operation of that name: every combination of verdict and operation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rejectionEffect } from '../../runtime/core/operation/rejection-effect.ts';
import type { OperationState } from '../../runtime/core/store/fleet.ts';

const states: readonly OperationState[] = ['reserved', 'recorded', 'rejected', 'diverted'];
const epochs = [1, 2, 7];
const touches = [{ keyVersions: [0x31] }, { serials: ['01'] }, {}] as const;

function judged(
  identityProved: boolean,
  touched: { readonly keyVersions?: readonly number[]; readonly serials?: readonly string[] } = {},
) {
  const { keyVersions = [], serials = [] } = touched;
  return { identityProved, keyVersionsTouched: [...keyVersions], certificateSerials: [...serials] };
}

describe('a rejection', () => {
  it('without a verdict of the gateway changes no operation', () => {
    for (const state of states)
      for (const epoch of epochs) assert.equal(rejectionEffect(null, { epoch, state }), 'leaves');
    assert.equal(rejectionEffect(judged(true), null), 'leaves');
  });

  it('closes the operation for ever when the chip proved who it is', () => {
    for (const state of states)
      for (const epoch of epochs)
        for (const touched of touches)
          assert.equal(rejectionEffect(judged(true, touched), { epoch, state }), 'closes');
  });

  it('gives EID and chip back in the first epoch alone, when nothing was proved and nothing sent', () => {
    assert.equal(rejectionEffect(judged(false), { epoch: 1, state: 'reserved' }), 'disowns');
    for (const state of states.slice(1))
      assert.equal(rejectionEffect(judged(false), { epoch: 1, state }), 'leaves');
  });

  it('never gives back what another chip may have got, and never closes it: that one is still to come', () => {
    for (const state of states)
      for (const epoch of epochs)
        for (const touched of epoch === 1 ? touches.slice(0, 2) : touches)
          assert.equal(rejectionEffect(judged(false, touched), { epoch, state }), 'leaves');
  });
});
