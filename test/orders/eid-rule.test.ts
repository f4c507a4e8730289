import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { withCheckDigits } from '../../runtime/core/eid.ts';
import { MESSAGE_BYTES_MAX } from '../../runtime/core/messages/channel.ts';
import { covers, eidRule, LISTED_MAX } from '../../runtime/core/messages/eid-rule.ts';
import { ticketPayload } from '../../runtime/core/messages/ticket.ts';
import { ticket } from '../core/samples.ts';

const digitsOf = (n: number): string => `89049032000000000000000${String(n).padStart(7, '0')}`;
const number = fc.integer({ min: 0, max: 2_000 });

describe('the EID rule of an order', () => {
  it('as a list covers what it names and nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(number, { minLength: 1, maxLength: 60 }), number, (named, asked) => {
        const rule = eidRule.parse({ list: named.map(digitsOf).sort() });
        for (const one of named) assert.ok(covers(rule, withCheckDigits(digitsOf(one))));
        assert.equal(covers(rule, withCheckDigits(digitsOf(asked))), named.includes(asked));
      }),
    );
  });

  it('as a range covers both its ends and what lies between', () => {
    fc.assert(
      fc.property(number, number, number, (a, b, asked) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const rule = eidRule.parse({ from: digitsOf(from), to: digitsOf(to) });
        assert.equal(covers(rule, withCheckDigits(digitsOf(asked))), from <= asked && asked <= to);
      }),
    );
  });

  it('as a prefix covers what begins with it', () => {
    fc.assert(
      fc.property(number, fc.integer({ min: 1, max: 30 }), number, (of, length, asked) => {
        const rule = eidRule.parse({ prefix: digitsOf(of).slice(0, length) });
        const begins = digitsOf(asked).startsWith(digitsOf(of).slice(0, length));
        assert.equal(covers(rule, withCheckDigits(digitsOf(asked))), begins);
      }),
    );
  });

  it('is one rule: no list with a hole in its order, no empty one, no two at once', () => {
    const [a, b] = [digitsOf(1), digitsOf(2)];
    for (const wrong of [
      { list: [] },
      { list: [b, a] },
      { list: [a, a] },
      { from: b, to: a },
      { prefix: '' },
      { prefix: '89x' },
      { list: [a], prefix: '8' },
      {},
    ])
      assert.ok(!eidRule.safeParse(wrong).success, JSON.stringify(wrong));
  });

  it('is bounded so that the largest ticket fits into a JWS, and that into a request', () => {
    const largest = {
      ...ticket,
      product: '\u20ac'.repeat(64),
      stations: Array.from({ length: 256 }, (_, i) => `${'s'.repeat(29)}${String(i).padStart(3, '0')}`),
      eidRule: { list: Array.from({ length: LISTED_MAX }, (_, i) => digitsOf(i)) },
      approvals: Array.from({ length: 16 }, () => `${'a'.repeat(60)}.${'b'.repeat(900)}.${'c'.repeat(86)}`),
    };
    assert.ok(ticketPayload.safeParse(largest).success);
    const jwsBytes = Math.ceil((Buffer.byteLength(JSON.stringify(largest)) * 4) / 3) + 300;
    assert.ok(jwsBytes <= 65_536, `${jwsBytes}`);
    // A request is a JWS again, around the ticket and two receipts of at most as many bytes.
    assert.ok((jwsBytes * 4) / 3 < MESSAGE_BYTES_MAX / 2);
    const more = { list: Array.from({ length: LISTED_MAX + 1 }, (_, i) => digitsOf(i)) };
    assert.ok(!eidRule.safeParse(more).success);
  });
});
