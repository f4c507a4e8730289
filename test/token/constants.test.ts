/** What the constants file must keep apart, and the memory that AES-256 derivations need. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ConstantEntry,
  computeIvs,
  demandDiversified,
  demandUnique,
  OTHER_EID,
  TEST_EID,
} from '../../drivers/token/pkcs11/constants.ts';
import { createOperations } from '../../drivers/token/pkcs11/operations.ts';
import { openPinnedMemory } from '../../drivers/token/pkcs11/pinned-memory.ts';
import { cmacOf, ecb } from '../../drivers/token/software-aes.ts';
import { concat, toHex, xor } from '../../runtime/core/bytes.ts';
import { eidContext, eidKdfKey, KeyIdentifier, scp03KeyVersions } from '../../runtime/core/card/eid-kdf.ts';
import type { CheckValues } from '../../runtime/core/token.ts';

const NOTHING = new Uint8Array(0);
const master = Uint8Array.from({ length: 32 }, (_, i) => 3 * i);

function entry(name: string, keyVersion: number, checkValues: CheckValues): ConstantEntry {
  return { master: name, keyVersion, ivs: [NOTHING, NOTHING, NOTHING], checkValues };
}

describe('constants of the key derivation', () => {
  it('gives every key version from 30 to 3F the keys of the EID-KDF, for both lengths', () => {
    for (const [name, bits] of [
      ['mdk-7', 128],
      ['mdk-7-aes-256', 256],
    ] as const)
      for (const keyVersion of scp03KeyVersions) {
        const ivs = computeIvs(name, keyVersion, (block) => ecb(master, block));
        for (const [i, keyIdentifier] of Object.values(KeyIdentifier).entries()) {
          const constant = ivs[i] ?? NOTHING;
          const eid = eidContext(TEST_EID);
          const byBlocks = ecb(master, xor(constant, bits === 128 ? eid : concat(eid, eid)));
          const purpose = { generation: 7, keyVersion, keyIdentifier, bits };
          assert.equal(toHex(byBlocks), toHex(eidKdfKey(cmacOf(master), purpose, TEST_EID)));
        }
      }
  });

  it('names both entries when two give the test EID the same keys', () => {
    const values = ['0a0b0c', '1a1b1c', '2a2b2c'] as const;
    const entries = [entry('mdk-1', 0x31, values), entry('mdk-1', 0x32, ['0a0b0c', '1a1b1c', '2a2b2d'])];
    demandUnique(entries);
    for (const name of ['mdk-1', 'mdk-2', 'mdk-1-aes-256', 'transport-master'])
      assert.throws(() => demandUnique([...entries, entry(name, 0x33, values)]), {
        code: 'KEY_POLICY_BROKEN',
        context: {
          key: name,
          keyVersion: 0x33,
          attribute: 'check values of the test EID',
          sameAs: 'mdk-1, key version 49',
        },
      });
  });

  it('asks no uniqueness of a vendor’s scheme, which binds no key version', () => {
    const values = ['0a0b0c', '1a1b1c', '2a2b2c'] as const;
    demandUnique([0x30, 0x31].map((version) => entry('transport-master-kdf3', version, values)));
  });

  it('demands of every entry the keys of the ceremony, and other keys for another EID, each of the three', () => {
    const own: CheckValues = ['0a0b0c', '1a1b1c', '2a2b2c'];
    const of = (values: CheckValues, others: CheckValues) => (eid: string) => {
      assert.ok(eid === TEST_EID || eid === OTHER_EID);
      return eid === TEST_EID ? values : others;
    };
    const ceremony = entry('mdk-1', 0x31, own);
    demandDiversified(ceremony, of(own, ['000000', '000001', '000002']));
    const refused = { code: 'KEY_POLICY_BROKEN' };
    for (const others of [own, ['000000', '000001', '2a2b2c'], ['0a0b0c', '000001', '000002']] as const)
      assert.throws(() => demandDiversified(ceremony, of(own, others)), refused);
    assert.throws(
      () => demandDiversified(ceremony, of(['0a0b0c', '1a1b1c', '000000'], ['000000', '000001', '000002'])),
      refused,
    );
  });
});

describe('memory whose address is known', () => {
  it('is told by an address and a length, and stays where it is', () => {
    const pinned = openPinnedMemory();
    assert.ok(pinned !== null);
    const first = pinned.stringData(new Uint8Array(32));
    const second = pinned.stringData(new Uint8Array(16));
    assert.equal(first.length, 16);
    assert.equal(first.readBigUInt64LE(0), second.readBigUInt64LE(0));
    assert.deepEqual([first.readBigUInt64LE(8), second.readBigUInt64LE(8)], [32n, 16n]);
    assert.notEqual(openPinnedMemory()?.stringData(NOTHING).readBigUInt64LE(0), first.readBigUInt64LE(0));
    assert.throws(() => pinned.stringData(new Uint8Array(65_537)), RangeError);
  });

  it('is asked for by every derivation over more than one block, which is refused without it', () => {
    const nothing = { cryptoki: {} as never, session: NOTHING as never };
    const token = createOperations({ ...nothing, pinned: null });
    const refused = { code: 'TOKEN_UNAVAILABLE' };
    const key = Buffer.alloc(8);
    const block = new Uint8Array(16);
    assert.throws(() => token.derive(key, new Uint8Array(32), block, 'k-enc-256'), refused);
    assert.throws(() => token.deriveByBlocks(key, block, 'k-enc', 'DES3_ECB_ENCRYPT_DATA'), refused);
  });
});
