/**
 * Every key operation of the gateway inside a PKCS#11 token, with handles only. CMAC over two blocks is done as
 * one CBC derivation, so that masters need no usage but DERIVE.
 *
 * Limits: AES-128 card keys. Two-block keys need a mechanism parameter that pkcs11js cannot build.
 */
import { type Bytes, concat, equal, toHex } from '../../../runtime/core/bytes.ts';
import { eidContext } from '../../../runtime/core/card/eid-kdf.ts';
import { DerivationConstant, derivationBlock, derivationIv } from '../../../runtime/core/card/scp03.ts';
import type { ChannelKeys } from '../../../runtime/core/card/scp03-channel.ts';
import type { WrappedKey } from '../../../runtime/core/card/scp03-put-key.ts';
import { Fault } from '../../../runtime/core/faults.ts';
import type { CheckValues, KeySet } from '../../../runtime/core/token.ts';
import { masterOf, type Vault, type VaultChannel } from '../vault.ts';
import {
  type ConstantEntry,
  type Constants,
  generationOf,
  OTHER_EID,
  sealedText,
  TEST_EID,
} from './constants.ts';
import { type Cryptoki, ck, describe, findObjects, guarded, type Handle, openSession } from './cryptoki.ts';
import { createOperations, type KeyHandles, type Operations } from './operations.ts';
import { auditToken, listOf, readAttribute } from './templates.ts';

/** Bits of a session key, as L of its derivation. */
const KEY_BITS = 128;
const ZERO_BLOCK = new Uint8Array(16);

interface VaultPlace {
  readonly cryptoki: Cryptoki;
  readonly slot: Handle;
  /** Kept open for the life of the process: the log-in ends with the last session. */
  readonly session: Handle;
  readonly constants: Constants;
}

/**
 * Audits the token against the key policy and the constants against the token, then offers its keys.
 * @throws Fault KEY_POLICY_BROKEN, HSM_FAILED
 */
export function openVault({ cryptoki, slot, session, constants }: VaultPlace): Vault {
  auditToken(cryptoki, session);
  let token = createOperations(cryptoki, openSession(cryptoki, slot));
  /** An error may leave the session in the middle of an operation: the next call gets a fresh one. */
  const using = <Result>(action: (operations: Operations) => Result): Result => {
    try {
      return action(token);
    } catch (error) {
      token.close();
      token = createOperations(cryptoki, openSession(cryptoki, slot));
      throw error;
    }
  };
  const masters = handlesByLabel(cryptoki, session, ck.CKO_SECRET_KEY);
  const signing = handlesByLabel(cryptoki, session, ck.CKO_PRIVATE_KEY);
  const points = handlesByLabel(cryptoki, session, ck.CKO_PUBLIC_KEY);
  checkSeal(token, masters.get('constants-seal'), constants);
  const find = (keys: KeySet) => ({
    ivs: entryOf(constants, keys).ivs,
    master: named(masters, masterOf(keys)),
    eid: eidContext(keys.eid),
  });
  const vault: Vault = {
    description: describe(cryptoki, slot),
    random: (count) => guarded('HSM_FAILED', () => cryptoki.C_GenerateRandom(session, Buffer.alloc(count))),
    openChannel: (keys) => {
      const { master, ivs, eid } = find(keys);
      const channel = createOperations(cryptoki, openSession(cryptoki, slot));
      try {
        return openChannel(channel, channel.deriveSet(master, ivs, eid, ['k-enc', 'k-mac', 'k-dek']), find);
      } catch (error) {
        channel.close();
        throw error;
      }
    },
    openScratchChannel: () => {
      const channel = createOperations(cryptoki, openSession(cryptoki, slot));
      try {
        const keys = channel.drawSet('scratch-key');
        const opened = openChannel(channel, keys, find);
        scratchKeys.set(opened, keys);
        return opened;
      } catch (error) {
        channel.close();
        throw error;
      }
    },
    checkValues: (keys) => {
      const { master, ivs, eid } = find(keys);
      return using((operations) => checkValuesOf(operations, master, ivs, eid));
    },
    sign: (key, message) => {
      const handle = named(signing, key);
      return using((operations) => operations.sign(handle, message));
    },
    publicKey: (key) => publicPoint(cryptoki, session, named(points, key)),
  };
  checkConstants(vault, constants);
  return vault;
}

/** Derives a set that can do nothing but be checked, and destroys it. */
export function checkValuesOf(
  token: Operations,
  master: Handle,
  ivs: ConstantEntry['ivs'],
  eid: Bytes,
): CheckValues {
  const set = token.deriveSet(master, ivs, eid, ['checked-key', 'checked-key', 'checked-key']);
  const values = set.map((key) => toHex(token.checkValue(key)));
  for (const key of set) token.destroy(key);
  return values as unknown as CheckValues;
}

/** The 65-byte point of a public key object; CKA_EC_POINT wraps it in an OCTET STRING of two bytes. */
export function publicPoint(cryptoki: Cryptoki, session: Handle, publicKey: Handle): Buffer {
  return readAttribute(cryptoki, session, publicKey, 'EC_POINT').subarray(2);
}

/** Private or secret token objects by label. */
export function handlesByLabel(
  cryptoki: Cryptoki,
  session: Handle,
  kind: number,
): ReadonlyMap<string, Handle> {
  const handles = findObjects(cryptoki, session, listOf({ TOKEN: true, CLASS: kind }));
  return new Map(
    handles.map((handle) => [readAttribute(cryptoki, session, handle, 'LABEL').toString(), handle]),
  );
}

/** Keys of channels that were drawn: the only ones that another channel may wrap. */
const scratchKeys = new WeakMap<VaultChannel, KeyHandles>();

type Find = (keys: KeySet) => { master: Handle; ivs: ConstantEntry['ivs']; eid: Bytes };

function openChannel(token: Operations, [enc, mac, dek]: KeyHandles, find: Find): VaultChannel {
  const channel: VaultChannel = {
    derive: (context, challengeMessage) => {
      const keys = deriveSession(token, enc, mac, context);
      const challenge = challengeMessage === null ? null : token.cmac(enc, challengeMessage);
      token.destroy(enc);
      token.destroy(mac);
      scratchKeys.delete(channel);
      return { keys, challenge };
    },
    wrapKeys: (keys) => {
      const wrapped = (key: Handle): WrappedKey => ({
        wrapped: token.wrap(dek, key),
        checkValue: token.checkValue(key),
      });
      if (!('origin' in keys)) {
        const drawn = scratchKeys.get(keys);
        if (drawn === undefined) throw new RangeError('no scratch channel, or one that is in use');
        return [wrapped(drawn[0]), wrapped(drawn[1]), wrapped(drawn[2])];
      }
      const { master, ivs, eid } = find(keys);
      const set = token.deriveSet(master, ivs, eid, ['new-key', 'new-key', 'new-key']);
      const all = [wrapped(set[0]), wrapped(set[1]), wrapped(set[2])] as const;
      for (const key of set) token.destroy(key);
      return all;
    },
    close: token.close,
  };
  return channel;
}

/** S-ENC from Key-ENC; S-MAC and S-RMAC from Key-MAC. Amendment D section 6.2.1. */
function deriveSession(token: Operations, enc: Handle, mac: Handle, context: Bytes): ChannelKeys {
  const block = (constant: DerivationConstant) => derivationBlock(constant, KEY_BITS);
  const ofEnc = token.ecb(enc, concat(ZERO_BLOCK, block(DerivationConstant.sEnc)));
  const ofMac = token.ecb(
    mac,
    concat(ZERO_BLOCK, block(DerivationConstant.sMac), block(DerivationConstant.sRmac)),
  );
  const iv = (blocks: Buffer, at: number): Bytes =>
    derivationIv(blocks.subarray(0, 16), blocks.subarray(16 * at, 16 * at + 16));
  const sEnc = token.derive(enc, iv(ofEnc, 1), context, 's-enc');
  const sMac = token.derive(mac, iv(ofMac, 1), context, 's-mac');
  const sRmac = token.derive(mac, iv(ofMac, 2), context, 's-rmac');
  return {
    mac: (message) => token.cmac(sMac, message),
    responseMac: (message) => token.cmac(sRmac, message),
    encryptBlock: (data) => token.ecb(sEnc, data),
    encrypt: (ivBlock, data) => token.cbc(sEnc, ivBlock, data),
    decrypt: (ivBlock, data) => token.cbcDecrypt(sEnc, ivBlock, data),
  };
}

function entryOf(constants: Constants, keys: KeySet): ConstantEntry {
  const master = masterOf(keys);
  const entry = constants.entries.find((one) => one.master === master && one.keyVersion === keys.keyVersion);
  if (entry === undefined)
    throw new Fault('CONFIG_INVALID', { setting: 'constantsFile', master, keyVersion: keys.keyVersion });
  return entry;
}

function named(handles: ReadonlyMap<string, Handle>, key: string): Handle {
  const handle = handles.get(key);
  if (handle === undefined) throw new Fault('CONFIG_INVALID', { key, reason: 'not in the token' });
  return handle;
}

/** @throws Fault KEY_POLICY_BROKEN when the file was changed since the ceremony */
function checkSeal(token: Operations, seal: Handle | undefined, constants: Constants): void {
  if (seal === undefined || !equal(token.cmac(seal, sealedText(constants.entries)), constants.seal))
    throw new Fault('KEY_POLICY_BROKEN', { key: 'constants-seal', attribute: 'seal of the constants file' });
}

/**
 * The test EID must get the keys it got at the ceremony, and another EID other keys: a derivation that does not
 * diversify has been seen in the field.
 * @throws Fault KEY_POLICY_BROKEN
 */
function checkConstants(vault: Vault, constants: Constants): void {
  for (const { master, keyVersion, checkValues } of constants.entries) {
    const generation = generationOf(master);
    const valuesOf = (eid: string): string =>
      vault
        .checkValues(
          generation === 0
            ? { origin: 'transport', eid, keyVersion }
            : { origin: 'fleet', generation, eid, keyVersion },
        )
        .join();
    if (valuesOf(TEST_EID) !== checkValues.join() || valuesOf(OTHER_EID) === checkValues.join())
      throw new Fault('KEY_POLICY_BROKEN', { key: master, attribute: 'check values of the test EID' });
  }
}
