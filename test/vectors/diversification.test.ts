import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { describe, it } from 'node:test';
import { diversifiedKey } from '../../drivers/card-reader/virtual-se/diversification.ts';
import { cmacOf, ecb } from '../../drivers/token/software-aes.ts';
import { type Bytes, fromHex, toHex } from '../../runtime/core/bytes.ts';
import { eidKdfKey, KeyIdentifier, scp03KeyVersions } from '../../runtime/core/card/eid-kdf.ts';
import {
  an10922Blocks,
  an10922Key,
  kdf3Block,
  schemeFits,
  transportSchemes,
  tripleDesInput,
  type VendorMaster,
  vendorKey,
} from '../../runtime/core/card/import-schemes.ts';
import { vectorsOf } from './vectors.ts';

const PURPOSES = { ENC: KeyIdentifier.enc, MAC: KeyIdentifier.mac, DEK: KeyIdentifier.dek } as const;
const DATA = fromHex('00010203040506070809');

describe('EID-KDF', () => {
  for (const { id, inputs, expected } of vectorsOf('kdf-eid-proposal'))
    it(`by the host and by the chip: ${id}`, () => {
      const [generation, keyVersion, bits] = [inputs.generation, inputs.kvn, inputs.lBits];
      const master = fromHex(inputs.masterAes256);
      const purpose = { generation, keyVersion, keyIdentifier: inputs.kid, bits };
      assert.equal(toHex(eidKdfKey(cmacOf(master), purpose, inputs.eid)), expected.key);
      const keyBytes = (bits / 8) as 16 | 24 | 32;
      const source = { master, generation, keyVersion, eid: inputs.eid, keyBytes };
      assert.equal(diversifiedKey(source, inputs.kid).toString('hex'), expected.key);
    });

  it('gives every key version from 30 to 3F, every key and both lengths keys of their own', () => {
    const master = cmacOf(Uint8Array.from({ length: 32 }, (_, i) => i));
    const keys = scp03KeyVersions.flatMap((keyVersion) =>
      Object.values(KeyIdentifier).flatMap((keyIdentifier) =>
        ([128, 256] as const).map((bits) =>
          toHex(
            eidKdfKey(
              master,
              { generation: 1, keyVersion, keyIdentifier, bits },
              '89049032123451234512345678901235',
            ),
          ).slice(0, 32),
        ),
      ),
    );
    assert.equal(new Set(keys).size, 16 * 3 * 2);
  });
});

describe('import schemes', () => {
  for (const { id, inputs, expected } of vectorsOf('kdf-diversification'))
    it(`${inputs.scheme}: ${id}`, () => {
      const master = vendorMaster(fromHex(inputs.master));
      if (inputs.scheme === 'an10922-aes128') {
        const { first, last } = an10922Blocks(fromHex(inputs.divInput));
        assert.ok(`${toHex(first)}${toHex(last)}`.startsWith(expected.message));
        assert.equal(toHex(an10922Key(master.aes, fromHex(inputs.divInput))), expected.key);
        return;
      }
      const scheme = ({ visa2: 'visa2', emv: 'emv-cps-1.1', kdf3: 'kdf3' } as const)[
        inputs.scheme as 'visa2' | 'emv' | 'kdf3'
      ];
      const keyIdentifier = PURPOSES[inputs.purpose as keyof typeof PURPOSES];
      const data = fromHex(inputs.kdd);
      const bits = (expected.key.length * 4) as 128 | 192;
      assert.equal(toHex(vendorKey(scheme, master, data, { keyIdentifier, bits })), expected.key);
      if (scheme === 'kdf3') assert.equal(toHex(kdf3Block(data, keyIdentifier, 1)), expected.firstBlockInput);
      else assert.equal(toHex(tripleDesInput(scheme, data, keyIdentifier)), expected.derivationData);
    });

  it('AN10922 section 2.2: an input of 31 bytes is CMAC, a shorter one is not', () => {
    const key = fromHex('00112233445566778899aabbccddeeff');
    const { aes, mac } = vendorMaster(key);
    for (const size of [31, 30, 16, 15, 11, 1]) {
      const input = new Uint8Array(size).fill(0x5a);
      const plain = toHex(mac(Uint8Array.of(1, ...input)));
      assert.equal(toHex(an10922Key(aes, input)) === plain, size > 15, `${size} bytes`);
    }
    assert.throws(() => an10922Key(aes, new Uint8Array(32)), RangeError);
    assert.throws(() => an10922Key(aes, new Uint8Array(0)), RangeError);
  });

  it('KDF3 joins two blocks for an AES-256 key', () => {
    const master = vendorMaster(new Uint8Array(32).fill(7));
    const key = vendorKey('kdf3', master, DATA, { keyIdentifier: KeyIdentifier.mac, bits: 256 });
    const blocks = ['010000000200', '020000000200'].map((head) =>
      toHex(master.mac(fromHex(head + toHex(DATA)))),
    );
    assert.equal(toHex(key), blocks.join(''));
  });

  it('takes diversification data of 10 bytes and of no other length', () => {
    for (const scheme of ['visa2', 'emv-cps-1.1', 'kdf3', 'an10922'] as const)
      for (const size of [0, 9, 11, 16])
        assert.throws(
          () =>
            vendorKey(scheme, vendorMaster(new Uint8Array(16)), new Uint8Array(size), {
              keyIdentifier: KeyIdentifier.enc,
              bits: 128,
            }),
          RangeError,
        );
  });

  it('makes AES-256 keys only where the scheme has two blocks for them', () => {
    const fitting = transportSchemes.filter((scheme) => schemeFits(scheme, 'aes-256'));
    assert.deepEqual(fitting, ['eid-kdf-1', 'kdf3', 'none']);
    assert.ok(transportSchemes.every((scheme) => schemeFits(scheme, 'aes-128')));
  });
});

function vendorMaster(key: Bytes): VendorMaster {
  return {
    aes: (block) => ecb(key, block),
    mac: cmacOf(key),
    tripleDes: (blocks) => {
      const des3 = Buffer.concat([key, key.subarray(0, 8)]).subarray(0, 24);
      const cipher = createCipheriv('des-ede3-ecb', des3, null).setAutoPadding(false);
      return Buffer.concat([cipher.update(blocks), cipher.final()]);
    },
  };
}
