/**
 * From a name of a key set to three handles: each scheme as PKCS#11 derivations from a master that may do nothing
 * but derive.
 *
 * AN10922 takes one intermediate value out of the token; it is AES of the chip's diversification data under the
 * master, and no key comes from it without the master.
 */
import { type Bytes, concat, fromHex, xor } from '../../../runtime/core/bytes.ts';
import { eidContext, eidKdfHeader, KeyIdentifier } from '../../../runtime/core/card/eid-kdf.ts';
import {
  an10922Blocks,
  an10922Input,
  kdf3Block,
  tripleDesInput,
  type VendorScheme,
} from '../../../runtime/core/card/import-schemes.ts';
import { type KeyAlgorithm, keyBitsOf, keyBlocksOf } from '../../../runtime/core/card/key-algorithm.ts';
import { Fault } from '../../../runtime/core/faults.ts';
import { type Kdf, type SizedRule, sizedRule } from '../../../runtime/core/key-policy.ts';
import type { KeySet } from '../../../runtime/core/token.ts';
import { fixedSetOf, type Master, masterOf, parseMaster } from '../masters.ts';
import { type ConstantEntry, type Constants, entryOf } from './constants.ts';
import type { Handle } from './cryptoki.ts';
import { encipherReadable, type KeyHandles, type Operations, type OperationsPlace } from './operations.ts';

/** Rules for the three keys of a set. */
export type SetRules = readonly [enc: SizedRule, mac: SizedRule, dek: SizedRule];

/** A key set that is found: where it comes from, before it is derived. */
export interface Source {
  readonly algorithm: KeyAlgorithm;
  /** Whether the keys are kept in the token, and must not be destroyed. */
  readonly kept: boolean;
  /** Whether the card's diversification data are needed. */
  readonly vendor: boolean;
  /** @param data diversification data of the card, 10 bytes; read by vendors' schemes alone */
  derive(at: OperationsPlace, token: Operations, rules: SetRules, data: Bytes): KeyHandles;
}

/** Diversification data as chips with this EID are taken to have, to check a vendor's master by. */
export function testDataOf(eid: string): Bytes {
  return fromHex(eid.slice(12));
}

/** @throws Fault CONFIG_INVALID when token or constants file do not have what the set is derived from */
export function sourceOf(
  keys: KeySet,
  constants: Constants,
  secrets: ReadonlyMap<string, Handle>,
  kdf: Kdf,
): Source {
  const { algorithm } = keys;
  if (keys.origin === 'transport' && keys.scheme === 'none') {
    const names = fixedSetOf(algorithm);
    const set = [named(secrets, names.enc), named(secrets, names.mac), named(secrets, names.dek)] as const;
    return { algorithm, kept: true, vendor: false, derive: () => set };
  }
  const entry = entryOf(constants, masterOf(keys), keys.keyVersion);
  return sourceFrom(entry, named(secrets, entry.master), keys.eid, kdf);
}

const NO_CONSTANTS = 'made for the native derivation';

/** The set that an entry of the constants file makes of an EID. */
export function sourceFrom(entry: ConstantEntry, handle: Handle, eid: string, kdf: Kdf): Source {
  const master = parseMaster(entry.master);
  if (master === null) throw new Fault('CONFIG_INVALID', { master: entry.master });
  const { algorithm } = master;
  return {
    algorithm,
    kept: false,
    vendor: master.scheme !== 'eid-kdf-1',
    derive: (at, token, rules, data) => {
      const one = (i: 0 | 1 | 2, keyIdentifier: KeyIdentifier): Handle => {
        const rule = sizedRule(rules[i], algorithm);
        const constant = entry.ivs[i];
        if (master.scheme === 'eid-kdf-1' && kdf === 'sp800-108') {
          const { generation } = master;
          const purpose = { generation, keyVersion: entry.keyVersion, bits: keyBitsOf(algorithm) };
          const header = eidKdfHeader({ ...purpose, keyIdentifier }, 1);
          return token.deriveNatively(handle, header, eidContext(eid), rule);
        }
        if (master.scheme === 'eid-kdf-1' && constant.length === 0)
          throw new Fault('CONFIG_INVALID', {
            setting: 'constantsFile',
            master: entry.master,
            reason: NO_CONSTANTS,
          });
        if (master.scheme === 'eid-kdf-1') return token.derive(handle, constant, eidContext(eid), rule);
        const from = { at, token, handle, algorithm, constant, rule };
        return vendorHandle(master.scheme, from, data, keyIdentifier);
      };
      return [one(0, KeyIdentifier.enc), one(1, KeyIdentifier.mac), one(2, KeyIdentifier.dek)];
    },
  };
}

interface VendorSource {
  readonly at: OperationsPlace;
  readonly token: Operations;
  readonly handle: Handle;
  readonly algorithm: Master['algorithm'];
  /** Subkey of the master; empty for triple DES. */
  readonly constant: Bytes;
  readonly rule: ReturnType<typeof sizedRule>;
}

function vendorHandle(
  scheme: VendorScheme,
  { at, token, handle, algorithm, constant, rule }: VendorSource,
  data: Bytes,
  keyIdentifier: KeyIdentifier,
): Handle {
  switch (scheme) {
    case 'visa2':
    case 'emv-cps-1.1':
      return token.deriveByBlocks(
        handle,
        tripleDesInput(scheme, data, keyIdentifier),
        rule,
        'DES3_ECB_ENCRYPT_DATA',
      );
    case 'kdf3': {
      const [first, second] = [1, 2].map((i) => kdf3Block(data, keyIdentifier, i)) as [Bytes, Bytes];
      if (keyBlocksOf(algorithm) === 1) return token.derive(handle, constant, first, rule);
      return token.deriveByBlocks(handle, xor(concat(first, second), concat(constant, constant)), rule);
    }
    case 'an10922': {
      const { first, last } = an10922Blocks(an10922Input(data, keyIdentifier));
      const inner = encipherReadable(at, token, handle, first, false);
      return token.derive(handle, xor(inner, constant), last, rule);
    }
  }
}

export function named(handles: ReadonlyMap<string, Handle>, key: string): Handle {
  const handle = handles.get(key);
  if (handle === undefined) throw new Fault('CONFIG_INVALID', { key, reason: 'not in the token' });
  return handle;
}
