/** What a card profile promises, a confirmation must say at least. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CardProfileName, cardProfiles } from '../../runtime/core/card/profile.ts';
import { brokenPromise } from '../../runtime/core/card/promises.ts';
import { judgeConfirmation, judgeReservation } from '../../runtime/core/operation/receipt-judge.ts';
import { type Changes, receiptOf, refusesBecause } from './receipts.ts';
import { confirmed, identity, judgement } from './samples.ts';

const { proofs } = confirmed;
const weaker = {
  statistical: { proofs: { ...proofs, dek: 'statistical', negativeControl: 'statistical' } },
  notProvable: { proofs: { ...proofs, dek: 'not-provable', negativeControl: 'not-provable' } },
  noControl: { proofs: { ...proofs, negativeControl: 'not-provable' } },
  unauthenticated: { proofs: { ...proofs, identity: 'unauthenticated' } },
  uncertified: { certificate: { absent: 'none was made' } },
} as const satisfies Readonly<Record<string, Changes>>;

describe('a promise of a card profile', () => {
  const broken = (name: CardProfileName, changes: object = {}): boolean =>
    brokenPromise({ ...confirmed, ...changes }, cardProfiles[name]) !== null;

  it('is kept by the strongest confirmation, in every profile with a key pair', () => {
    for (const { name, keyPair } of Object.values(cardProfiles))
      assert.equal(broken(name as CardProfileName), keyPair.kind === 'none', name);
  });

  it('is broken by what is weaker, unless the profile says that no more can be shown', () => {
    assert.ok(!broken('holdfast-virtual', weaker.statistical));
    assert.ok(broken('holdfast-virtual-s16', weaker.statistical));
    assert.ok(broken('holdfast-virtual-two-sets', weaker.notProvable));
    assert.ok(!broken('holdfast-virtual-keys-once', weaker.notProvable));
    assert.ok(!broken('holdfast-virtual-clear-identity', weaker.unauthenticated));
    assert.ok(!broken('holdfast-virtual-keys-only', weaker.uncertified));
    for (const changes of Object.values(weaker).slice(1)) assert.ok(broken('holdfast-virtual', changes));
  });

  it('is demanded by the station', async () => {
    const reserved = judgeReservation(await receiptOf.reservation(), identity, judgement);
    const judge = async (changes: Changes) =>
      judgeConfirmation(await receiptOf.confirmation(changes), reserved, null, judgement);
    await refusesBecause(
      {
        'confirmation says too little: Key-DEK is not-provable, and the card profile promises statistical': [
          weaker.notProvable,
        ],
        'confirmation says too little: the negative control is not-provable, and the card profile promises statistical':
          [weaker.noControl],
        'confirmation says too little: the identity is unauthenticated, and the card profile promises it under R-MAC':
          [weaker.unauthenticated],
        'confirmation says too little: there is no certificate, and the card profile promises one': [
          weaker.uncertified,
        ],
      },
      judge,
    );
    const unknown = { ...judgement, cardProfile: null };
    await assert.rejects(
      async () => judgeConfirmation(await receiptOf.confirmation(), reserved, null, unknown),
      { code: 'RECEIPT_INVALID' },
    );
  });
});
