/** A revocation too long for its leaf: the list stands there as number and hash, and the rows must give it again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { differenceOf, takeLeaf } from '../../runtime/cli/audit/revocations.ts';
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { fittingLeafOf, readLeaf } from '../../runtime/core/log/leaf.ts';
import type { RevocationRow } from '../../runtime/core/store/revocation.ts';

const LEAF = 7;
const at = '2026-11-22T12:00:00.000Z';
const common = { plan: 'p', reason: 'keyCompromise', revokedAt: at, leafIndex: LEAF } as const;
const rows = Array.from(
  { length: 1_500 },
  (_, i): RevocationRow => ({
    ...{ serial: `${i}`.padStart(32, '0'), eid: `${i}`.padStart(32, '8'), issuer: 'line-1' },
    ...common,
  }),
);

function said(): Map<string, string> {
  const certificates = rows.map(({ serial, eid, issuer }) => ({ serial, eid, issuer }));
  const body = { plan: 'p', reason: 'keyCompromise', intermediates: [], certificates };
  const leaf = readLeaf(fittingLeafOf('revocation', 'revocation/p', at, body, nodeCrypto.sha256).entry);
  assert.ok(leaf !== null && !Array.isArray(leaf.body.certificates), 'the list is too long for a leaf');
  const standing = new Map<string, string>();
  takeLeaf(standing, LEAF, leaf);
  return standing;
}

function stored(of: readonly RevocationRow[]): Map<string, string> {
  const plan = canonicalJson({ plan: 'p', executedAt: at, leafIndex: LEAF });
  return new Map([
    ['executed plan p', plan],
    ...of.map((row) => [`revocation of certificate ${row.serial}`, canonicalJson({ ...row })] as const),
  ]);
}

const difference = (of: readonly RevocationRow[]) => differenceOf(said(), stored(of), nodeCrypto);

describe('a revocation that is longer than a leaf', () => {
  it('holds where the rows give its list again, in whatever order they come', () => {
    assert.equal(difference(rows), null);
    assert.equal(difference([...rows].reverse()), null);
  });

  it('does not hold where a row is gone, added or changed', () => {
    const where = `certificates revoked by leaf ${LEAF}`;
    const first = rows[0] ?? assert.fail();
    const spoilt = [
      rows.slice(1),
      [...rows, { ...first, serial: 'f'.repeat(32) }],
      [{ ...first, eid: '9'.repeat(32) }, ...rows.slice(1)],
      [{ ...first, reason: 'superseded' }, ...rows.slice(1)],
      [{ ...first, revokedAt: '2020-01-01T00:00:00.000Z' }, ...rows.slice(1)],
    ];
    for (const one of spoilt) assert.equal(difference(one as readonly RevocationRow[])?.where, where);
    assert.equal(difference([])?.why, 'it is missing: the log says it');
  });
});
