import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../../runtime/core/faults.ts';
import { instantMs, instantOf } from '../../runtime/core/instant.ts';

/** Years 0000 to 9999, which ISO 8601 writes with four digits. */
const instants = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });

describe('an instant', () => {
  it('is written as Date writes it, and read back', () => {
    fc.assert(
      fc.property(instants, (ms) => {
        const text = instantOf(ms);
        assert.equal(text, new Date(ms).toISOString());
        assert.equal(instantMs(text), ms);
      }),
    );
  });

  it('knows leap days: 2000 and 2024 have one, 1900 and 2100 have none', () => {
    for (const day of ['2000-02-29', '2024-02-29', '1900-02-28', '2100-02-28', '2000-03-01', '1900-03-01'])
      assert.equal(instantMs(`${day}T00:00:00Z`), Date.parse(`${day}T00:00:00Z`), day);
  });

  it('reads texts with and without seconds and fractions', () => {
    assert.equal(instantMs('2026-11-22T12:00Z'), instantMs('2026-11-22T12:00:00.000Z'));
    assert.equal(instantMs('2026-11-22T12:00:00.5Z'), instantMs('2026-11-22T12:00:00.500Z'));
    assert.equal(instantMs('2026-11-22T12:00:00.123456Z'), instantMs('2026-11-22T12:00:00.123Z'));
  });

  it('refuses local times and texts of another form', () => {
    for (const text of ['2026-11-22T12:00:00', '2026-11-22T12:00:00+01:00', '2026-11-22', '', 'now'])
      assert.throws(
        () => instantMs(text),
        (error) => isFault(error) && error.code === 'MESSAGE_MALFORMED',
      );
  });
});
