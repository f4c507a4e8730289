/** Key sets and signing keys in the memory of this process: behind the simulated token, never for a key of the fleet. */
import { type Bytes, toHex } from '../../runtime/core/bytes.ts';
import { eidKdfKey, KeyIdentifier } from '../../runtime/core/card/eid-kdf.ts';
import { isVendorScheme, vendorKey } from '../../runtime/core/card/import-schemes.ts';
import { keyBitsOf } from '../../runtime/core/card/key-algorithm.ts';
import { DerivationConstant, derived } from '../../runtime/core/card/scp03.ts';
import type { ChannelKeys } from '../../runtime/core/card/scp03-channel.ts';
import { CHECK_VALUE_BLOCK, CHECK_VALUE_BYTES } from '../../runtime/core/card/scp03-put-key.ts';
import { Fault } from '../../runtime/core/faults.ts';
import type { Entropy } from '../../runtime/core/ports.ts';
import type { CheckValues, KeySet } from '../../runtime/core/token.ts';
import { publicKeyOf, signMessage } from '../crypto/ecdsa.ts';
import { fixedSetOf, masterOf } from './masters.ts';
import { cbc, cbcDecrypt, cmacOf, ecb, tripleDes } from './software-aes.ts';
import type { Vault, VaultChannel } from './vault.ts';

export interface SoftwareKeys {
  /** Masters by their names, `transport-master` and `mdk-1` of 32 bytes; keys of a fixed set by theirs. */
  readonly masters: Readonly<Record<string, Bytes>>;
  /** Private scalars of 32 bytes by their names: `envelope`, `confirmation`, `issuer-line-1`. */
  readonly signingKeys: Readonly<Record<string, Bytes>>;
  readonly label?: string;
  /** How the signing keys sign; ECDSA by default. */
  readonly signature?: (privateKey: Bytes, message: Bytes) => Bytes;
}

type Keys = readonly [enc: Bytes, mac: Bytes, dek: Bytes];

export function createSoftwareVault(
  { masters, signingKeys, label = 'simulated', signature = signMessage }: SoftwareKeys,
  entropy: Entropy,
): Vault {
  const key = (name: string): Bytes => {
    const found = masters[name];
    if (found === undefined) throw new Fault('CONFIG_INVALID', { key: name, reason: 'not in the token' });
    return found;
  };
  const signingKey = (name: string): Bytes => {
    const found = signingKeys[name];
    if (found === undefined) throw new Fault('CONFIG_INVALID', { key: name, reason: 'not in the token' });
    return found;
  };
  /** The set, or what makes it of the card's diversification data. */
  const setOf = (keys: KeySet): Keys | ((data: Bytes) => Keys) => {
    if (keys.origin === 'transport' && keys.scheme === 'none') {
      const { enc, mac, dek } = fixedSetOf(keys.algorithm);
      return [key(enc), key(mac), key(dek)];
    }
    const master = key(masterOf(keys));
    const bits = keyBitsOf(keys.algorithm);
    const three = (one: (keyIdentifier: KeyIdentifier) => Bytes): Keys => [
      one(KeyIdentifier.enc),
      one(KeyIdentifier.mac),
      one(KeyIdentifier.dek),
    ];
    if (keys.origin === 'transport' && isVendorScheme(keys.scheme)) {
      const { scheme } = keys;
      const vendor = {
        aes: (block: Bytes) => ecb(master, block),
        mac: (message: Bytes) => cmacOf(master)(message),
        tripleDes: (blocks: Bytes) => tripleDes(master, blocks),
      };
      return (data) => three((keyIdentifier) => vendorKey(scheme, vendor, data, { keyIdentifier, bits }));
    }
    const { keyVersion, eid } = keys;
    const generation = keys.origin === 'fleet' ? keys.generation : 0;
    const mac = cmacOf(master);
    return three((keyIdentifier) => eidKdfKey(mac, { generation, keyVersion, keyIdentifier, bits }, eid));
  };
  /** @throws Fault CONFIG_INVALID for a set that the fleet does not derive by itself */
  const derivedSet = (keys: KeySet): Keys => {
    const set = setOf(keys);
    if (typeof set !== 'function' && !(keys.origin === 'transport' && keys.scheme === 'none')) return set;
    throw new Fault('CONFIG_INVALID', { reason: 'not a set of the EID-KDF' });
  };
  const scratch = new WeakMap<VaultChannel, Keys>();
  const wrappingSet = (keys: KeySet | VaultChannel): Keys => {
    const set = 'origin' in keys ? derivedSet(keys) : scratch.get(keys);
    if (set === undefined) throw new RangeError('no scratch channel, or one that is in use');
    return set;
  };
  return {
    description: { softwareToken: true, module: 'simulated', label, serial: '0' },
    random: (count) => entropy.bytes(count),
    openChannel: (keys) => openChannel(setOf(keys), wrappingSet, () => undefined),
    openScratchChannel: (algorithm) => {
      const draw = (): Bytes => entropy.bytes(keyBitsOf(algorithm) / 8);
      const drawn = [draw(), draw(), draw()] as const;
      const channel = openChannel(drawn, wrappingSet, () => scratch.delete(channel));
      scratch.set(channel, drawn);
      return channel;
    },
    checkValues: (keys) => derivedSet(keys).map((one) => toHex(checkValue(one))) as unknown as CheckValues,
    sign: (name, message) => signature(signingKey(name), message),
    publicKey: (name) => publicKeyOf(signingKey(name)),
  };
}

function openChannel(
  set: Keys | ((data: Bytes) => Keys),
  wrappingSet: (keys: KeySet | VaultChannel) => Keys,
  used: () => void,
): VaultChannel {
  let dek: Bytes | null = null;
  return {
    derive: ({ context, challengeMessage, diversificationData }) => {
      used();
      const [enc, mac, ownDek] = typeof set === 'function' ? set(diversificationData) : set;
      dek = ownDek;
      return {
        keys: sessionKeys(enc, mac, context),
        challenge: challengeMessage === null ? null : cmacOf(enc)(challengeMessage),
      };
    },
    wrapKeys: (keys) => {
      const wrapping = dek;
      if (wrapping === null) throw new RangeError('the channel has no keys yet');
      const wrapped = (key: Bytes) => ({
        wrapped: cbc(wrapping, new Uint8Array(16), key),
        checkValue: checkValue(key),
      });
      const [enc, mac, newDek] = wrappingSet(keys);
      return [wrapped(enc), wrapped(mac), wrapped(newDek)];
    },
    close: () => undefined,
  };
}

function sessionKeys(enc: Bytes, mac: Bytes, context: Bytes): ChannelKeys {
  const [ofEnc, ofMac] = [cmacOf(enc), cmacOf(mac)];
  const sEnc = derived(ofEnc, DerivationConstant.sEnc, enc.length * 8, context);
  return {
    mac: cmacOf(derived(ofMac, DerivationConstant.sMac, mac.length * 8, context)),
    responseMac: cmacOf(derived(ofMac, DerivationConstant.sRmac, mac.length * 8, context)),
    encryptBlock: (data) => ecb(sEnc, data),
    encrypt: (iv, data) => cbc(sEnc, iv, data),
    decrypt: (iv, data) => cbcDecrypt(sEnc, iv, data),
  };
}

function checkValue(key: Bytes): Bytes {
  return ecb(key, CHECK_VALUE_BLOCK).subarray(0, CHECK_VALUE_BYTES);
}
