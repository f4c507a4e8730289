/** Who dies by a revocation: plans from facts alone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Aim,
  type PlanFacts,
  planOf,
  type RevocationWay,
  type TouchedIssuer,
} from '../../runtime/core/pki/revocation-plan.ts';
import type { UnitCertificateRow } from '../../runtime/core/store/revocation.ts';

const AT = '2026-11-22T12:00:00.000Z';

function unit(n: number, issuer: string, batch: string): UnitCertificateRow {
  const serial = (0x4000_0000 + n).toString(16).padEnd(32, '0');
  return {
    serial,
    eid: String(n).padStart(32, '8'),
    operation: `op-${n}`,
    issuer,
    issuerKeyId: 'aa',
    batch,
    station: 's1',
    recordedAt: AT,
  };
}

function issuerOf(
  name: string,
  certificates: readonly UnitCertificateRow[],
  revoked: readonly string[] = [],
): TouchedIssuer {
  return { name, keyIdentifier: 'aa', certificates, revoked: new Set(revoked), revokedAsAWhole: false };
}

const aimAt = (kind: Aim['kind'], value: string): Aim => ({ kind, value, from: null, to: null });

function plan(
  aim: Aim,
  way: RevocationWay,
  aimed: readonly UnitCertificateRow[],
  issuers: readonly TouchedIssuer[],
) {
  const facts: PlanFacts = {
    aim,
    way,
    reason: 'keyCompromise',
    madeAt: AT,
    aimed,
    issuers,
    quorum: { required: 2, officers: ['ada', 'bob'] },
    crlDays: 30,
    rootCrlDays: 365,
  };
  return planOf(facts);
}

const [one, two, three] = [unit(1, 'line-1', 'A'), unit(2, 'line-1', 'A'), unit(3, 'line-1', 'B')];

describe('a plan of revocation', () => {
  it('spares an intermediate that has issued for another batch too: the batch falls one by one', () => {
    const made = plan(aimAt('batch', 'A'), 'auto', [one, two], [issuerOf('line-1', [one, two, three])]);
    assert.deepEqual([made.intermediates, made.certificates.length, made.collateral.units], [[], 2, 0]);
  });

  it('lets an intermediate fall when all but what was revoked before is of the batch', () => {
    const made = plan(
      aimAt('batch', 'A'),
      'auto',
      [one, two],
      [issuerOf('line-1', [one, two, three], [three.serial])],
    );
    assert.deepEqual([made.intermediates.length, made.certificates, made.collateral.units], [1, [], 0]);
  });

  it('spares the intermediate of a unit, even of its only one', () => {
    const made = plan(aimAt('eid', one.eid), 'auto', [one], [issuerOf('line-1', [one])]);
    assert.deepEqual([made.intermediates, made.certificates.map(({ serial }) => serial)], [[], [one.serial]]);
  });

  it('lets each intermediate of a batch be judged by itself', () => {
    const far = unit(4, 'line-2', 'A');
    const issuers = [issuerOf('line-1', [one, two, three]), issuerOf('line-2', [far])];
    const made = plan(aimAt('batch', 'A'), 'auto', [one, two, far], issuers);
    assert.deepEqual(
      made.intermediates.map(({ name }) => name),
      ['line-2'],
    );
    assert.deepEqual(
      made.certificates.map(({ issuer }) => issuer),
      ['line-1', 'line-1'],
    );
  });

  it('counts who was revoked before, and lists nobody twice', () => {
    const made = plan(
      aimAt('batch', 'A'),
      'certificates',
      [one, two],
      [issuerOf('line-1', [one, two, three], [one.serial])],
    );
    assert.deepEqual([made.revokedBefore, made.certificates.map(({ serial }) => serial)], [1, [two.serial]]);
    assert.deepEqual(
      made.lists.map(({ entriesBefore, entriesAfter }) => [entriesBefore, entriesAfter]),
      [[1, 2]],
    );
  });

  it('names who dies besides, and a window spares the rest', () => {
    const made = plan(
      aimAt('batch', 'A'),
      'intermediate',
      [one, two],
      [issuerOf('line-1', [one, two, three])],
    );
    assert.deepEqual(
      made.collateral.named.map(({ serial }) => serial),
      [three.serial],
    );
    const window = { ...aimAt('batch', 'A'), from: AT };
    const some = plan(window, 'auto', [one, two], [issuerOf('line-1', [one, two])]);
    assert.deepEqual([some.intermediates, some.certificates.length], [[], 2]);
  });
});
