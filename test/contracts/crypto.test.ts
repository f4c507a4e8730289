/** Both cryptographies of a plant, the real one and that of long simulations: what nobody signed verifies nowhere. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { publicKeyOf, signMessage } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedCrypto } from '../../drivers/crypto/simulated.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { fromText } from '../../runtime/core/bytes.ts';

const simulated = createSimulatedCrypto();
const privateKey = new Uint8Array(32).fill(7);
const drivers = {
  real: { crypto: nodeCrypto, sign: signMessage },
  simulated: { crypto: simulated, sign: simulated.sign },
} as const;

for (const [name, { crypto, sign }] of Object.entries(drivers))
  describe(`the crypto port, ${name}`, () => {
    it('takes a signature for its key and its message alone', () => {
      const point = publicKeyOf(privateKey);
      const signature = sign(privateKey, fromText('said'));
      const other = publicKeyOf(new Uint8Array(32).fill(9));
      assert.ok(crypto.verifyP256(point, fromText('said'), signature));
      assert.ok(!crypto.verifyP256(point, fromText('not said'), signature));
      assert.ok(!crypto.verifyP256(other, fromText('said'), signature));
      assert.ok(!crypto.verifyP256(point, fromText('said'), signature.slice(0, 63)));
    });

    it('takes no signature for a point that is on no curve, compressed, or of another length', () => {
      const signature = sign(privateKey, fromText('said'));
      const point = publicKeyOf(privateKey);
      const bent = point.map((byte, i) => (i === 64 ? byte ^ 1 : byte));
      const compressed = point.map((byte, i) => (i === 0 ? 0x02 : byte));
      for (const key of [
        bent,
        compressed,
        point.slice(0, 33),
        new Uint8Array(65).fill(4),
        new Uint8Array(65),
      ])
        assert.ok(!crypto.verifyP256(key, fromText('said'), signature));
    });

    it('takes a P-384 signature with SHA-384 for its key and its message alone', () => {
      const { privateKey: long, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
      const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-97);
      const options = { key: long, dsaEncoding: 'ieee-p1363' } as const;
      const signature = signBytes('sha384', fromText('said'), options);
      assert.ok(crypto.verifyP384(point, fromText('said'), signature));
      assert.ok(!crypto.verifyP384(point, fromText('not said'), signature));
      assert.ok(!crypto.verifyP384(point, fromText('said'), signBytes('sha256', fromText('said'), options)));
      assert.ok(
        !crypto.verifyP384(
          point.map((byte, i) => (i === 96 ? byte ^ 1 : byte)),
          fromText('said'),
          signature,
        ),
      );
      assert.ok(!crypto.verifyP384(point, fromText('said'), signature.subarray(0, 64)));
    });

    it('agrees on one secret from both sides, and on none with what is no key', () => {
      const entropy = createSimulatedEntropy('agreement');
      const [one, two, three] = [0, 1, 2].map(() => crypto.drawAgreementKey(entropy));
      assert.deepEqual(one?.agree(two?.publicKey ?? privateKey), two?.agree(one?.publicKey ?? privateKey));
      assert.notDeepEqual(
        one?.agree(two?.publicKey ?? privateKey),
        one?.agree(three?.publicKey ?? privateKey),
      );
      assert.equal(one?.publicKey.length, 65);
      assert.equal(one?.agree(new Uint8Array(65).fill(4)), null);
      assert.equal(one?.agree(new Uint8Array(64)), null);
    });
  });
