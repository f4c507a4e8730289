/** What a rejection does to the operation of that name: every combination of verdict and operation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault, type FaultCode, faults, isVerdict } from '../../runtime/core/faults.ts';
import { rejectionEffect } from '../../runtime/core/operation/rejection-effect.ts';
import type { OperationState } from '../../runtime/core/store/fleet.ts';

const verdicts = (Object.keys(faults) as FaultCode[]).filter((code) => isVerdict(new Fault(code)));
const states: readonly OperationState[] = ['reserved', 'recorded', 'rejected', 'diverted'];
const epochs = [1, 2, 7];

function judged(code: FaultCode, touched: { keyVersions?: number[]; serials?: string[] } = {}) {
  const { keyVersions: keyVersionsTouched = [], serials: certificateSerials = [] } = touched;
  return { fault: { code, context: {} }, keyVersionsTouched, certificateSerials };
}

describe('a rejection', () => {
  it('without a verdict of the gateway changes no operation', () => {
    for (const state of states)
      for (const epoch of epochs) assert.equal(rejectionEffect(null, { epoch, state }), 'leaves');
    assert.equal(rejectionEffect(judged('CARD_NOT_OURS'), null), 'leaves');
  });

  it('closes the operation for ever once a key or a certificate may be on the chip', () => {
    for (const code of verdicts)
      for (const state of states)
        for (const epoch of epochs)
          for (const touched of [{ keyVersions: [0x31] }, { serials: ['01'] }])
            assert.equal(rejectionEffect(judged(code, touched), { epoch, state }), 'closes');
  });

  it('closes it when the verdict can only be of a chip that proved who it is', () => {
    const proved = verdicts.filter(
      (code) => !['CARD_NOT_OURS', 'CARD_IDENTITY_MISMATCH', 'CARD_KEYS_NOT_PROVED'].includes(code),
    );
    assert.ok(proved.includes('CARD_STATE_WRONG'));
    for (const code of proved)
      for (const state of states)
        for (const epoch of epochs) assert.equal(rejectionEffect(judged(code), { epoch, state }), 'closes');
  });

  it('gives EID and chip back in the first epoch alone, when nothing was proved and nothing sent', () => {
    for (const code of ['CARD_NOT_OURS', 'CARD_IDENTITY_MISMATCH'] as const) {
      assert.equal(rejectionEffect(judged(code), { epoch: 1, state: 'reserved' }), 'disowns');
      for (const state of ['recorded', 'rejected', 'diverted'] as const)
        assert.equal(rejectionEffect(judged(code), { epoch: 1, state }), 'leaves');
    }
  });

  it('never gives back what a chip with the fleet’s keys may hold', () => {
    assert.equal(rejectionEffect(judged('CARD_KEYS_NOT_PROVED'), { epoch: 1, state: 'reserved' }), 'closes');
  });

  it('leaves an operation of later epochs to its genuine chip, when this one proved nothing', () => {
    for (const code of ['CARD_NOT_OURS', 'CARD_IDENTITY_MISMATCH', 'CARD_KEYS_NOT_PROVED'] as const)
      for (const state of states)
        for (const epoch of [2, 7]) assert.equal(rejectionEffect(judged(code), { epoch, state }), 'leaves');
  });
});
