/** What a scope of an intermediate covers: a name, or a line of names that begin alike. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { covers, outsideScope, unlimited } from '../../runtime/core/pki/scope.ts';

const unit = { manufacturing: { batch: 'METER-71', manufacturedAtMs: 0, product: 'meter' } };

describe('a scope', () => {
  it('covers one name, and with a star at its end every name that begins so', () => {
    assert.deepEqual(
      ['METER-71', 'METER-*', 'METER-7*', '*'].map((name) => covers(name, 'METER-71')),
      [true, true, true, true],
    );
    assert.deepEqual(
      ['METER-7', 'METER-', 'METER-72*', 'ETER*', 'meter-*', ''].map((name) => covers(name, 'METER-71')),
      [false, false, false, false, false, false],
    );
  });

  it('of a product line issues for its batches, and for no unit that names no batch or another', () => {
    const line = { ...unlimited, batch: 'METER-*' };
    assert.deepEqual(outsideScope(line, unit), []);
    assert.deepEqual(outsideScope({ ...line, product: 'pump*', region: '*' }, unit), ['product', 'region']);
    assert.deepEqual(outsideScope({ ...line, batch: 'PUMP-*' }, unit), ['batch']);
    assert.deepEqual(outsideScope(line, { manufacturing: null }), ['batch']);
  });
});
