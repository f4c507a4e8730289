import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { instantMs, instantOf } from '../../runtime/core/instant.ts';
import {
  type ApprovalPayload,
  approvalStatement,
  demandApprovals,
  quorumForm,
} from '../../runtime/core/messages/approval.ts';
import { hashOf, seal, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { hashOfText, signers, stranger, trusted } from './samples.ts';

const AT = '2026-11-22T12:00:00.000Z';
const NOW = instantMs(AT);
const PLAN = hashOfText('the plan');
const entropy = createSimulatedEntropy('officers');
const officers: Readonly<Record<string, Signer>> = Object.fromEntries(
  ['ada', 'bob', 'eve'].map((name) => [name, createSoftwareSigner(privateKeyFrom(entropy.bytes(40)))]),
);
const keys: readonly TrustedKey[] = [
  ...trusted,
  ...Object.entries(officers).map(([name, { publicKey }]) => ({ name, role: 'officer' as const, publicKey })),
];
const quorum = { required: 2, officers: ['ada', 'bob'] };

const approval = (
  officer: string,
  changes: Partial<ApprovalPayload> = {},
  by = officers[officer] ?? stranger,
) =>
  seal(
    approvalStatement,
    {
      purpose: 'ticket',
      subject: PLAN,
      officer,
      reason: 'order 4711',
      approvedAt: AT,
      notAfter: '2026-11-23T12:00:00.000Z',
      ...changes,
    },
    by,
    nodeCrypto,
  );
const demand = (given: readonly string[], nowMs = NOW) =>
  demandApprovals(given, { purpose: 'ticket', subject: PLAN, quorum, nowMs }, keys, nodeCrypto);
const withCode = (code: FaultCode, why?: RegExp) => (error: unknown) =>
  isFault(error) && error.code === code && (why?.test(String(error.context.why)) ?? true);

describe('the approval of M of N officers', () => {
  it('counts when enough officers signed exactly this', async () => {
    const given = [await approval('ada'), await approval('bob')];
    assert.deepEqual(
      demand(given).map(({ officer, approval: hash }) => [officer, hash]),
      [
        ['ada', hashOf(given[0] ?? '', nodeCrypto)],
        ['bob', hashOf(given[1] ?? '', nodeCrypto)],
      ],
    );
  });

  it('is missing while one officer is', async () => {
    const given = [await approval('ada')];
    assert.throws(
      () => demand(given),
      (error) =>
        withCode('APPROVALS_MISSING')(error) &&
        isFault(error) &&
        error.context.given === 1 &&
        error.context.required === 2,
    );
  });

  it('is refused when one officer signed twice, with other words even', async () => {
    const given = [await approval('ada'), await approval('ada', { reason: 'once more' })];
    assert.throws(() => demand(given), withCode('APPROVAL_REFUSED', /twice/));
  });

  it('is refused for another subject and for another purpose', async () => {
    const bob = await approval('bob');
    for (const changes of [{ subject: hashOfText('another plan') }, { purpose: 'revocation' as const }]) {
      const given = [await approval('ada', changes), bob];
      assert.throws(() => demand(given), withCode('APPROVAL_REFUSED', /approves/));
    }
  });

  it('is refused from an officer who has no say in this, and under another officer’s name', async () => {
    const ada = await approval('ada');
    for (const eve of [await approval('eve'), await approval('bob', {}, officers.eve)])
      assert.throws(() => demand([ada, eve]), withCode('APPROVAL_REFUSED'));
  });

  it('is refused from every other role, though its key is trusted, and from strangers', async () => {
    const ada = await approval('ada');
    for (const by of [
      signers['ticket-authority'],
      signers.gateway,
      signers.backend,
      signers.station,
      stranger,
    ]) {
      const bob = await approval('bob', {}, by);
      assert.throws(() => demand([ada, bob]), withCode('APPROVAL_REFUSED', /known officer/));
    }
  });

  it('counts to its last millisecond, and from when it was given but for five minutes of clocks', async () => {
    const given = [await approval('ada'), await approval('bob')];
    const end = instantMs('2026-11-23T12:00:00.000Z');
    for (const nowMs of [NOW - 300_000, end]) assert.equal(demand(given, nowMs).length, 2);
    for (const nowMs of [NOW - 300_001, end + 1])
      assert.throws(() => demand(given, nowMs), withCode('APPROVAL_REFUSED', /valid/), instantOf(nowMs));
  });

  it('comes from a quorum that can be met by different officers', () => {
    assert.ok(quorumForm.safeParse(quorum).success);
    assert.ok(!quorumForm.safeParse({ required: 3, officers: ['ada', 'bob'] }).success);
    assert.ok(!quorumForm.safeParse({ required: 2, officers: ['ada', 'ada'] }).success);
    assert.ok(!quorumForm.safeParse({ required: 0, officers: ['ada'] }).success);
  });
});
