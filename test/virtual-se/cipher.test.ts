import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkValue,
  cmac,
  createMac,
  decryptCbc,
  derive,
  encryptCbc,
  subkeys,
  ZERO,
} from '../../drivers/card-reader/virtual-se/cipher.ts';
import {
  type Diversification,
  diversifiedKey,
  header,
} from '../../drivers/card-reader/virtual-se/diversification.ts';
import { bytes, hex, vectorsOf } from './support.ts';

describe('the card calculates as everybody else does', () => {
  it('RFC 4493, SP 800-38B: CMAC under keys of 128, 192 and 256 bits, and refuses forged tags', () => {
    const vectors = vectorsOf<{ key: string; msg?: string }, Record<string, string | boolean>>('aes-cmac');
    for (const { id, inputs, expected } of vectors) {
      if (inputs.msg === undefined) {
        const { first, second } = subkeys(bytes(inputs.key));
        assert.deepEqual([hex(first), hex(second)], [expected.k1, expected.k2], id);
        continue;
      }
      const right = hex(cmac(bytes(inputs.key), bytes(inputs.msg))) === expected.tag;
      assert.equal(right, expected.valid, id);
    }
    assert.equal(vectors.length, 40);
  });

  it('RFC 4493: the code over parts is the code over the whole', () => {
    const mac = createMac(bytes('2b7e151628aed2a6abf7158809cf4f3c'));
    const whole = Buffer.from('a message of more than one block, cut at odd places');
    assert.equal(
      hex(mac(whole.subarray(0, 3), whole.subarray(3, 3), whole.subarray(3, 33), whole.subarray(33))),
      hex(mac(whole)),
    );
  });

  it('Amendment D section 4.1.5: derivation of 128 and 256 bits', () => {
    const vectors = vectorsOf<
      { key: string; constant: number; context: string; lBits: number },
      { out: string; kcvAes?: string }
    >('scp03-kdf');
    for (const { id, inputs, expected } of vectors) {
      const key = derive(createMac(bytes(inputs.key)), inputs.constant, inputs.lBits, bytes(inputs.context));
      assert.equal(hex(key), expected.out, id);
      if (expected.kcvAes !== undefined) assert.equal(hex(checkValue(key, 1)), expected.kcvAes, id);
    }
    assert.equal(vectors.length, 26);
  });

  it('GPCS section B.6: check values', () => {
    const vectors = vectorsOf<{ key: string }, { kcv: string }>('kcv-aes');
    for (const { id, inputs, expected } of vectors)
      assert.equal(hex(checkValue(bytes(inputs.key), 1)), expected.kcv, id);
    assert.equal(vectors.length, 6);
  });

  it('Amendment D section 6.2.8: keys under Key-DEK', () => {
    const vectors = vectorsOf<{ dek: string; key: string }, { encrypted: string }>('dek-wrap');
    for (const { id, inputs, expected } of vectors) {
      assert.equal(hex(decryptCbc(bytes(inputs.dek), ZERO, bytes(expected.encrypted))), inputs.key, id);
      assert.equal(hex(encryptCbc(bytes(inputs.dek), ZERO, bytes(inputs.key))), expected.encrypted, id);
    }
    assert.equal(vectors.length, 4);
  });

  // `ecbEncryptDataParam` of these vectors is how a token without CMAC gets there: no matter of the card's.
  it('EID-KDF: the keys a chip is made with', () => {
    const vectors = vectorsOf<
      { masterAes256: string; generation: number; kvn: number; kid: number; lBits: number; eid: string },
      { firstBlock: string; key: string; kcvAes: string }
    >('kdf-eid-proposal');
    for (const { id, inputs, expected } of vectors) {
      const source: Diversification = {
        master: bytes(inputs.masterAes256),
        generation: inputs.generation,
        keyVersion: inputs.kvn,
        eid: inputs.eid,
        keyBytes: (inputs.lBits / 8) as Diversification['keyBytes'],
      };
      assert.equal(hex(header(source, inputs.kid, 1)), expected.firstBlock, id);
      const key = diversifiedKey(source, inputs.kid);
      assert.equal(hex(key), expected.key, id);
      assert.equal(hex(checkValue(key, 1)), expected.kcvAes, id);
    }
    assert.equal(vectors.length, 9);
  });
});
