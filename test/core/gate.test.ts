/** The gate over real receipts: what stands in the journal decides, and nothing else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import { gate } from '../../runtime/core/operation/gate.ts';
import { judgeAttempt } from '../../runtime/core/operation/receipt-judge.ts';
import { type Changes, receiptOf } from './receipts.ts';
import { ARRIVAL, identity, judgement, OTHER_EID, release, VISIT } from './samples.ts';

const EARLIER = { epoch: 1 };

describe('the gate over real receipts', () => {
  const visit = { nest: 'a', visit: VISIT };
  const journal = async (
    changes: Partial<Record<keyof typeof receiptOf, Changes>> = {},
  ): Promise<readonly Fact[]> => [
    { ...visit, name: 'arrived', arrival: ARRIVAL, report: {} as never },
    { ...visit, name: 'identified', identity },
    { ...visit, name: 'reserved', receipt: await receiptOf.reservation(changes.reservation) },
    { ...visit, name: 'confirmed', receipt: await receiptOf.confirmation(changes.confirmation) },
    { ...visit, name: 'registered', receipt: await receiptOf.registration(changes.registration) },
  ];
  const judged = (facts: readonly Fact[]) =>
    gate(facts, (attempt) => {
      const verdict = judgeAttempt(attempt, ARRIVAL, judgement);
      return verdict.convinced ? [] : verdict.problems;
    });

  it('opens for receipts that name this unit', async () => {
    assert.deepEqual(judged(await journal()), { open: true });
  });

  it('yields the release of the registration, and of nothing else', async () => {
    const attempt = judgeAttempt(await journal(), ARRIVAL, judgement);
    assert.deepEqual(attempt, { convinced: true, release });
    const missing = judgeAttempt((await journal()).slice(0, -1), ARRIVAL, judgement);
    assert.equal(missing.convinced, false);
  });

  it('holds, and says why, when one receipt names another', async () => {
    const cases: readonly Partial<Record<keyof typeof receiptOf, Changes>>[] = [
      { reservation: { eid: OTHER_EID } },
      { confirmation: EARLIER },
      // It names this unit and proves as much, but it is not the one that was registered.
      { confirmation: { confirmedAt: '2026-11-22T12:00:01.000Z' } },
      { registration: { release: { ...release, arrival: ARRIVAL + 1 } } },
    ];
    for (const changes of cases) {
      const verdict = judged(await journal(changes));
      assert.ok(!verdict.open && verdict.missing[0]?.startsWith('RECEIPT_INVALID'));
    }
  });

  it('holds when a receipt was altered on the disk', async () => {
    const facts = await journal();
    const altered = facts.map((fact) =>
      fact.name === 'registered' ? { ...fact, receipt: `${fact.receipt.slice(0, -4)}AAAA` } : fact,
    );
    const verdict = judged(altered);
    assert.ok(!verdict.open && verdict.missing[0]?.startsWith('ENVELOPE_INVALID'));
  });
});
