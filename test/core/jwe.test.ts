import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CompactEncrypt, compactDecrypt, importJWK, type JWK } from 'jose';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { type Bytes, concat, fromBase64, fromText, toBase64Url, toHex } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { agreeWith, concatKdf, decrypt, encrypt } from '../../runtime/core/messages/jwe.ts';
import type { AgreementKey } from '../../runtime/core/ports.ts';

const entropy = createSimulatedEntropy('encryption');
const means = { crypto: nodeCrypto, entropy };
const context = { apu: fromText('list 1'), apv: fromText('a dialogue') };
const plaintext = fromText('{"name":"put-key","changes":true,"actions":[{"kind":"cold-reset"}]}');

/** A key whose scalar is known to the test alone. */
function keyOf(scalar: Bytes): AgreementKey {
  return nodeCrypto.drawAgreementKey({ bytes: () => Uint8Array.from(scalar) });
}
function jwkOf(scalar: Bytes): JWK {
  const point = keyOf(scalar).publicKey;
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(toBase64Url);
  return { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '', d: toBase64Url(scalar) };
}
const SCALAR = entropy.bytes(32);
const own = keyOf(SCALAR);
const encrypted = (what = plaintext): string =>
  encrypt(what, agreeWith(own.publicKey, means), context, means);
const refused = (error: unknown): boolean => isFault(error) && error.code === 'ENVELOPE_INVALID';

/** RFC 7518 appendix C. */
const example = {
  alice: {
    x: 'gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0',
    y: 'SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps',
    d: '0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo',
  },
  bob: {
    x: 'weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ',
    y: 'e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck',
    d: 'VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw',
  },
  secret: '9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4',
  derived: 'VqqN6vgjbSBcIijNcacQGg',
};
const pointOf = ({ x, y }: { x: string; y: string }): Bytes =>
  concat(Uint8Array.of(4), fromBase64(x), fromBase64(y));

describe('RFC 7518 appendix C: ECDH-ES', () => {
  it('makes the points from their scalars', () => {
    for (const party of [example.alice, example.bob])
      assert.equal(toHex(keyOf(fromBase64(party.d)).publicKey), toHex(pointOf(party)));
  });

  it('agrees on Z at both ends', () => {
    const ends = [
      [example.alice, example.bob],
      [example.bob, example.alice],
    ] as const;
    for (const [mine, theirs] of ends)
      assert.equal(toHex(keyOf(fromBase64(mine.d)).agree(pointOf(theirs)) ?? plaintext), example.secret);
  });

  it('derives the key with the Concat KDF', () => {
    const secret = keyOf(fromBase64(example.alice.d)).agree(pointOf(example.bob)) ?? plaintext;
    const of = { algorithm: 'A128GCM', bits: 128, apu: fromText('Alice'), apv: fromText('Bob') } as const;
    assert.equal(toBase64Url(concatKdf(secret, of, nodeCrypto)), example.derived);
  });
});

describe('encryption to a key', () => {
  it('is opened by jose', async () => {
    const key = await importJWK(jwkOf(SCALAR), 'ECDH-ES');
    for (const bytes of [plaintext, fromText(''), entropy.bytes(5_000)]) {
      const opened = await compactDecrypt(encrypted(bytes), key, {
        keyManagementAlgorithms: ['ECDH-ES'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      assert.equal(toHex(opened.plaintext), toHex(bytes));
    }
  });

  it('opens what jose encrypted', async () => {
    const { d: _, ...jwk } = jwkOf(SCALAR);
    const key = await importJWK(jwk, 'ECDH-ES');
    const jwe = await new CompactEncrypt(plaintext)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .setKeyManagementParameters(context)
      .encrypt(key);
    assert.equal(toHex(decrypt(jwe, own, context, nodeCrypto)), toHex(plaintext));
  });

  it('uses another ephemeral key, and so another content key, for each message', () => {
    const heads = Array.from({ length: 50 }, () => encrypted().split('.')[0]);
    assert.equal(new Set(heads).size, 50);
  });

  it('opens for no other key, and for no other place', () => {
    const jwe = encrypted();
    assert.throws(() => decrypt(jwe, keyOf(entropy.bytes(32)), context, nodeCrypto), refused);
    for (const changes of [{ apu: fromText('list 2') }, { apv: fromText('another dialogue') }])
      assert.throws(() => decrypt(jwe, own, { ...context, ...changes }, nodeCrypto), refused);
  });

  it('binds the place in the key, not in the header alone', () => {
    const parts = encrypted().split('.');
    const header = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString());
    header.apu = toBase64Url(fromText('list 2'));
    const moved = [toBase64Url(fromText(JSON.stringify(header))), ...parts.slice(1)].join('.');
    assert.throws(() => decrypt(moved, own, { ...context, apu: fromText('list 2') }, nodeCrypto), refused);
  });

  it('refuses a message with any bit of any part flipped', () => {
    const parts = encrypted().split('.').map(fromBase64);
    const bits = parts.flatMap((part, k) => [...part].map((_, i) => [k, i] as const));
    for (const part of [0, 2, 3, 4]) assert.ok(bits.some(([k]) => k === part));
    for (const [k, i] of bits) {
      const changed = parts.map((part, n) =>
        part.map((b, m) => (n === k && m === i ? b ^ (1 << (i % 8)) : b)),
      );
      assert.throws(() => decrypt(changed.map(toBase64Url).join('.'), own, context, nodeCrypto), refused);
    }
  });

  it('refuses a message with a character replaced, cut short or with a part more or less', () => {
    const jwe = encrypted();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: jwe.length - 1 }),
        fc.constantFrom('A', 'z', '-', '.', '=', ' ', 'é'),
        (at, character) => {
          fc.pre(jwe[at] !== character);
          const changed = jwe.slice(0, at) + character + jwe.slice(at + 1);
          assert.throws(() => decrypt(changed, own, context, nodeCrypto), refused);
        },
      ),
      { numRuns: 300 },
    );
    for (const text of [`${jwe}.`, `${jwe}.AAAA`, jwe.replace('..', '.AAAA.'), jwe.replace('..', '.')])
      assert.throws(() => decrypt(text, own, context, nodeCrypto), refused);
    for (let length = 0; length < jwe.length; length += 7)
      assert.throws(() => decrypt(jwe.slice(0, length), own, context, nodeCrypto), refused);
  });

  it('speaks one algorithm, one cipher and one curve', async () => {
    for (const header of [
      { alg: 'ECDH-ES', enc: 'A128GCM' },
      { alg: 'ECDH-ES', enc: 'A256CBC-HS512' },
      { alg: 'ECDH-ES+A256KW', enc: 'A256GCM' },
    ]) {
      const { d: _, ...jwk } = jwkOf(SCALAR);
      const jwe = await new CompactEncrypt(plaintext)
        .setProtectedHeader(header)
        .setKeyManagementParameters(context)
        .encrypt(await importJWK(jwk, header.alg));
      assert.throws(() => decrypt(jwe, own, context, nodeCrypto), refused);
    }
  });

  it('agrees with nothing that is no point of the curve', () => {
    const good = own.publicKey;
    const points = [
      new Uint8Array(0),
      new Uint8Array(65),
      concat(Uint8Array.of(4), new Uint8Array(64)),
      concat(good.subarray(0, 64), Uint8Array.of((good[64] ?? 0) ^ 1)),
      concat(Uint8Array.of(2 + ((good[64] ?? 0) & 1)), good.subarray(1, 33)),
      concat(Uint8Array.of(6 + ((good[64] ?? 0) & 1)), good.subarray(1)),
    ];
    for (const point of points) {
      assert.equal(own.agree(point), null);
      assert.throws(() => agreeWith(point, means), refused);
    }
  });
});

describe('keys that agree', () => {
  it('are drawn again when a draw is no scalar of the group', () => {
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
    const draws: Bytes[] = [new Uint8Array(32), Uint8Array.from(order), Uint8Array.from(SCALAR)];
    const key = nodeCrypto.drawAgreementKey({ bytes: () => draws.shift() ?? new Uint8Array(32) });
    assert.equal(toHex(key.publicKey), toHex(own.publicKey));
    assert.throws(() => nodeCrypto.drawAgreementKey({ bytes: (count) => new Uint8Array(count) }), RangeError);
  });

  it('show nothing of themselves but their point', () => {
    assert.deepEqual(Object.keys(own).sort(), ['agree', 'publicKey']);
  });
});
