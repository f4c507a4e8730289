import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { concat, fromBase64, fromText, toBase64Url } from '../../runtime/core/bytes.ts';
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { MESSAGE_BYTES_MAX } from '../../runtime/core/messages/channel.ts';
import { open, peekId, seal, statement, thumbprint } from '../../runtime/core/messages/envelope.ts';
import { signers, stranger, trusted } from './samples.ts';

const note = statement({
  typ: 'holdfast/test-note+v1',
  signedBy: 'gateway',
  payload: z.strictObject({ id: z.string(), count: z.int() }),
});
const payload = { id: 'one', count: 1 };
const sealed = (): Promise<string> => seal(note, payload, signers.gateway, nodeCrypto);
const opening = (jws: string) => open(note, jws, trusted, nodeCrypto);
const withCode =
  (code: FaultCode, why?: RegExp) =>
  (error: unknown): boolean =>
    isFault(error) && error.code === code && (why?.test(JSON.stringify(error.context)) ?? true);

/** A JWS with any header and payload, well signed. */
async function signed(header: object, body: object, by = signers.gateway): Promise<string> {
  const input = [header, body].map((part) => toBase64Url(fromText(JSON.stringify(part)))).join('.');
  return `${input}.${toBase64Url(await by.sign(fromText(input)))}`;
}
const header = (changes: object = {}): object => ({
  alg: 'ES256',
  kid: thumbprint(signers.gateway.publicKey, nodeCrypto),
  typ: note.typ,
  ...changes,
});

describe('the signed envelope', () => {
  it('gives back what was sealed, and by whom', async () => {
    const opened = opening(await sealed());
    assert.deepEqual(opened.payload, payload);
    assert.equal(opened.signer.name, 'gateway-1');
  });

  it('signs canonical JSON, whatever the order of the members', async () => {
    const [, body = ''] = (await seal(note, { count: 1, id: 'one' }, signers.gateway, nodeCrypto)).split('.');
    assert.deepEqual(fromBase64(body), fromText('{"count":1,"id":"one"}'));
  });

  it('refuses another kind of statement, even of the same signer', async () => {
    const other = statement({ ...note, typ: 'holdfast/test-other+v1' });
    const jws = await seal(other, payload, signers.gateway, nodeCrypto);
    assert.throws(() => opening(jws), withCode('ENVELOPE_INVALID', /typ is/));
  });

  it('refuses a signer of another role, though its key is trusted', async () => {
    for (const role of ['station', 'backend', 'ticket-authority'] as const) {
      const jws = await seal(note, payload, signers[role], nodeCrypto);
      assert.throws(() => opening(jws), withCode('ENVELOPE_INVALID', /no trusted gateway/));
    }
  });

  it('refuses a key that nobody trusts', async () => {
    const jws = await seal(note, payload, stranger, nodeCrypto);
    assert.throws(() => opening(jws), withCode('ENVELOPE_INVALID', /no trusted/));
  });

  it('refuses a stranger’s signature under a trusted key identifier', async () => {
    const jws = await signed(header(), payload, stranger);
    assert.throws(() => opening(jws), withCode('ENVELOPE_INVALID', /signature/));
  });

  it('refuses every algorithm but ES256, none above all', async () => {
    for (const alg of ['none', 'HS256', 'ES384', 'es256', '']) {
      const jws = await signed(header({ alg }), payload);
      assert.throws(() => opening(jws), withCode('ENVELOPE_INVALID', /header/));
      const [head, body] = jws.split('.');
      assert.throws(() => opening(`${head}.${body}.`), withCode('ENVELOPE_INVALID'));
    }
  });

  it('refuses header members it does not know, and headers without one it needs', async () => {
    for (const changed of [header({ jwk: {} }), header({ crit: ['b64'] }), { alg: 'ES256', typ: note.typ }]) {
      const jws = await signed(changed, payload);
      assert.throws(() => opening(jws), withCode('ENVELOPE_INVALID', /header/));
    }
  });

  it('refuses payload members that the declaration does not have', async () => {
    const jws = await signed(header(), { ...payload, more: true });
    assert.throws(() => opening(jws), withCode('MESSAGE_MALFORMED', /more/));
  });

  it('refuses a message with any bit flipped', async () => {
    const jws = await sealed();
    const parts = jws.split('.').map(fromBase64);
    const bits = parts.flatMap((part, k) => [...part].map((_, i) => [k, i] as const));
    fc.assert(
      fc.property(fc.constantFrom(...bits), fc.integer({ min: 0, max: 7 }), ([k, i], bit) => {
        const changed = parts.map((part, n) => part.map((b, m) => (n === k && m === i ? b ^ (1 << bit) : b)));
        assert.throws(() => opening(changed.map(toBase64Url).join('.')), isFault);
      }),
      { numRuns: 400 },
    );
  });

  it('refuses a message with any character of its text replaced', async () => {
    const jws = await sealed();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: jws.length - 1 }),
        fc.constantFrom('A', 'z', '-', '.', '=', ' ', 'é'),
        (at, character) => {
          fc.pre(jws[at] !== character);
          assert.throws(() => opening(jws.slice(0, at) + character + jws.slice(at + 1)), isFault);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('refuses a truncated message, whatever is left of it', async () => {
    const jws = await sealed();
    for (let length = 0; length < jws.length; length++)
      assert.throws(() => opening(jws.slice(0, length)), withCode('ENVELOPE_INVALID'));
  });

  it('refuses a message with a fourth part', async () => {
    const jws = await sealed();
    assert.throws(() => opening(`${jws}.AAAA`), withCode('ENVELOPE_INVALID', /compact/));
  });

  it('refuses a message above the limit before it looks inside', () => {
    const jws = 'A'.repeat(MESSAGE_BYTES_MAX + 1);
    assert.throws(() => opening(jws), withCode('ENVELOPE_INVALID', /too long/));
  });

  it('gives the id of an unverified message to find its request, and nothing of anything else', async () => {
    assert.equal(peekId(await sealed()), 'one');
    fc.assert(fc.property(fc.string(), (text) => assert.equal(peekId(text), null)));
    for (const text of [
      '',
      '.',
      'a.b.c',
      `x.${toBase64Url(fromText('null'))}.y`,
      `x.${toBase64Url(concat())}.y`,
    ])
      assert.equal(peekId(text), null);
  });

  it('RFC 7638: names a key by SHA-256 over its members in order', () => {
    // The key of RFC 7517 appendix A.1; its thumbprint by `openssl dgst` over the members.
    const x = fromBase64('MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4');
    const y = fromBase64('4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM');
    assert.equal(
      thumbprint(concat(Uint8Array.of(4), x, y), nodeCrypto),
      'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
    );
  });
});

describe('canonical JSON', () => {
  it('RFC 8785 §3.2.3: sorts members by UTF-16 code unit', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, 1: 4, '\u{1f600}': 5, '\u00f6': 6 };
    assert.equal(canonicalJson(value), '{"\\r":2,"1":4,"\u00f6":6,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
  });

  it('says the same for every order of members, and is JSON of the same value', () => {
    const values = fc.dictionary(
      fc.string(),
      fc.oneof(fc.maxSafeInteger(), fc.string(), fc.boolean(), fc.constant(null)),
    );
    fc.assert(
      fc.property(values, (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        assert.equal(canonicalJson(value), canonicalJson(turned));
        assert.deepEqual(JSON.parse(canonicalJson(value)), { ...value });
      }),
    );
  });

  it('refuses numbers that have more than one spelling', () => {
    for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      assert.throws(() => canonicalJson({ number }), RangeError);
  });
});
