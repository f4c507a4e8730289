import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { fromHex } from '../../runtime/core/bytes.ts';
import { uuidV4, uuidV7 } from '../../runtime/core/uuid.ts';

const random = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const moments = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe('a UUID', () => {
  it('RFC 9562 appendix A.3: version 4', () => {
    const bytes = fromHex('919108f752d133205bacf847db4148a8');
    assert.equal(uuidV4(bytes), '919108f7-52d1-4320-9bac-f847db4148a8');
  });

  it('RFC 9562 appendix A.6: version 7', () => {
    assert.equal(
      uuidV7(0x017f22e279b0, fromHex('0cc318c4dc0c0c07398f')),
      '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
    );
  });

  it('has its version and its variant whatever the random bytes', () => {
    fc.assert(fc.property(random(16), (bytes) => assert.ok(z.uuidv4().safeParse(uuidV4(bytes)).success)));
    fc.assert(
      fc.property(moments, random(10), (ms, bytes) =>
        assert.ok(z.uuidv7().safeParse(uuidV7(ms, bytes)).success),
      ),
    );
  });

  it('of version 7 sorts by time', () => {
    fc.assert(
      fc.property(moments, moments, random(10), random(10), (a, b, one, other) => {
        fc.pre(a < b);
        assert.ok(uuidV7(a, one) < uuidV7(b, other));
      }),
    );
  });
});
