/**
 * Every key operation of the gateway inside a PKCS#11 token, with handles only.
 *
 * AES-256 card keys and triple DES masters need a module that derives block by block, and memory whose address is
 * known (`pinned-memory.ts`); where either is missing the vault does not open.
 */
import { type Bytes, concat, equal, toHex, xor } from '../../../runtime/core/bytes.ts';
import { type KeyAlgorithm, keyBitsOf, keyBlocksOf } from '../../../runtime/core/card/key-algorithm.ts';
import { DerivationConstant, derivationBlock, derivationIv } from '../../../runtime/core/card/scp03.ts';
import type { ChannelKeys } from '../../../runtime/core/card/scp03-channel.ts';
import type { WrappedKey } from '../../../runtime/core/card/scp03-put-key.ts';
import { BLOCK_BYTES } from '../../../runtime/core/crypto/cmac.ts';
import { Fault } from '../../../runtime/core/faults.ts';
import { type Kdf, sizedRule } from '../../../runtime/core/key-policy.ts';
import type { CheckValues, KeySet } from '../../../runtime/core/token.ts';
import type { Vault, VaultChannel } from '../vault.ts';
import { type Constants, demandDiversified, demandUnique, sealedText } from './constants.ts';
import { type Cryptoki, ck, describe, findObjects, guarded, type Handle, openSession } from './cryptoki.ts';
import { named, type Source, sourceFrom, sourceOf, testDataOf } from './derivation.ts';
import { demandMechanisms, offeredBy } from './mechanisms.ts';
import { createOperations, type KeyHandles, type Operations, type OperationsPlace } from './operations.ts';
import { openPinnedMemory } from './pinned-memory.ts';
import { auditToken, listOf, readAttribute } from './templates.ts';

interface VaultPlace {
  readonly cryptoki: Cryptoki;
  readonly slot: Handle;
  /** Kept open for the life of the process: the log-in ends with the last session. */
  readonly session: Handle;
  readonly constants: Constants;
  readonly kdf: Kdf;
}

/** A session of its own and the calls on it. */
interface Desk {
  readonly at: OperationsPlace;
  readonly token: Operations;
}

/**
 * Audits the token against the key policy and the constants against the token, then offers its keys.
 * @throws Fault KEY_POLICY_BROKEN, HSM_FAILED; TOKEN_UNAVAILABLE where a master needs what module or process lack
 */
export function openVault({ cryptoki, slot, session, constants, kdf }: VaultPlace): Vault {
  auditToken(cryptoki, session, 'gateway', kdf);
  const pinned = openPinnedMemory();
  const openDesk = (): Desk => {
    const at = { cryptoki, session: openSession(cryptoki, slot), pinned };
    return { at, token: createOperations(at) };
  };
  let desk = openDesk();
  /** An error may leave the session in the middle of an operation: the next call gets a fresh one. */
  const using = <Result>(action: (desk: Desk) => Result): Result => {
    try {
      return action(desk);
    } catch (error) {
      desk.token.close();
      desk = openDesk();
      throw error;
    }
  };
  const opening = (begin: (desk: Desk) => VaultChannel): VaultChannel => {
    const own = openDesk();
    try {
      return begin(own);
    } catch (error) {
      own.token.close();
      throw error;
    }
  };
  const secrets = handlesByLabel(cryptoki, session, ck.CKO_SECRET_KEY);
  const signing = handlesByLabel(cryptoki, session, ck.CKO_PRIVATE_KEY);
  const points = handlesByLabel(cryptoki, session, ck.CKO_PUBLIC_KEY);
  const sizes = new Map<string, number>();
  const pointBytes = (key: string): number => {
    const size = sizes.get(key) ?? publicPoint(cryptoki, session, named(points, key)).length;
    sizes.set(key, size);
    return size;
  };
  const find: Find = (keys) => sourceOf(keys, constants, secrets, kdf);
  checkSeal(desk.token, secrets.get('constants-seal'), constants);
  demandMechanisms(
    { masters: constants.entries.map(({ master }) => master), kdf },
    offeredBy(cryptoki, slot, pinned),
  );
  demandUnique(constants.entries);
  for (const entry of constants.entries)
    demandDiversified(entry, (eid) =>
      checkValuesOf(desk, sourceFrom(entry, named(secrets, entry.master), eid, kdf), testDataOf(eid)),
    );
  return {
    description: describe(cryptoki, slot),
    random: (count) => guarded('HSM_FAILED', () => cryptoki.C_GenerateRandom(session, Buffer.alloc(count))),
    openChannel: (keys) => {
      const source = find(keys);
      return opening((own) => openChannel(own, source, find));
    },
    openScratchChannel: (algorithm) => opening((own) => openScratchChannel(own, algorithm, find)),
    checkValues: (keys) => {
      const source = ofEidKdf(find(keys));
      return using((own) => checkValuesOf(own, source, NO_DATA));
    },
    sign: (key, message) => {
      const handle = named(signing, key);
      return using(({ token }) => token.sign(handle, message, pointBytes(key)));
    },
    publicKey: (key) => publicPoint(cryptoki, session, named(points, key)),
  };
}

const NO_DATA = new Uint8Array(0);

/** @throws Fault CONFIG_INVALID for a set that the fleet does not derive by itself */
function ofEidKdf(source: Source): Source {
  if (source.kept || source.vendor) throw new Fault('CONFIG_INVALID', { reason: 'not a set of the EID-KDF' });
  return source;
}

/** Derives a set that can do nothing but be checked, and destroys it. */
export function checkValuesOf({ at, token }: Desk, source: Source, data: Bytes): CheckValues {
  const set = source.derive(at, token, ['checked-key', 'checked-key', 'checked-key'], data);
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

type Find = (keys: KeySet) => Source;

/** What a channel's session keys are derived from. */
interface Static {
  readonly set: KeyHandles;
  readonly algorithm: KeyAlgorithm;
  /** Whether the keys outlive the channel. */
  readonly kept: boolean;
}

/** A vendor's set waits for what the card says; every other is derived at once, so that a missing one shows. */
function openChannel(desk: Desk, source: Source, find: Find): VaultChannel {
  const derive = (data: Bytes): Static => ({
    set: source.derive(desk.at, desk.token, ['k-enc', 'k-mac', 'k-dek'], data),
    algorithm: source.algorithm,
    kept: source.kept,
  });
  if (source.vendor) return channelOf(desk, derive, find);
  const keys = derive(NO_DATA);
  return channelOf(desk, () => keys, find);
}

function openScratchChannel(desk: Desk, algorithm: KeyAlgorithm, find: Find): VaultChannel {
  const set = desk.token.drawSet(sizedRule('scratch-key', algorithm));
  const channel = channelOf(desk, () => ({ set, algorithm, kept: false }), find);
  scratchKeys.set(channel, set);
  return channel;
}

function channelOf(desk: Desk, staticKeys: (data: Bytes) => Static, find: Find): VaultChannel {
  const { at, token } = desk;
  let wrapping: Handle | null = null;
  const wrapped = (dek: Handle, key: Handle): WrappedKey => ({
    wrapped: token.wrap(dek, key),
    checkValue: token.checkValue(key),
  });
  const wrappedSet = (dek: Handle, [enc, newMac, newDek]: KeyHandles) =>
    [wrapped(dek, enc), wrapped(dek, newMac), wrapped(dek, newDek)] as const;
  const channel: VaultChannel = {
    derive: ({ context, challengeMessage, diversificationData }) => {
      const { set, algorithm, kept } = staticKeys(diversificationData);
      const [enc, mac, dek] = set;
      wrapping = dek;
      const keys = deriveSession(token, { enc, mac, algorithm }, context);
      const challenge = challengeMessage === null ? null : token.cmac(enc, challengeMessage);
      if (!kept) for (const key of [enc, mac]) token.destroy(key);
      scratchKeys.delete(channel);
      return { keys, challenge };
    },
    wrapKeys: (keys) => {
      if (wrapping === null) throw new RangeError('the channel has no keys yet');
      if (!('origin' in keys)) {
        const drawn = scratchKeys.get(keys);
        if (drawn === undefined) throw new RangeError('no scratch channel, or one that is in use');
        return wrappedSet(wrapping, drawn);
      }
      const set = ofEidKdf(find(keys)).derive(at, token, ['new-key', 'new-key', 'new-key'], NO_DATA);
      const all = wrappedSet(wrapping, set);
      for (const key of set) token.destroy(key);
      return all;
    },
    close: token.close,
  };
  return channel;
}

/** S-ENC from Key-ENC; S-MAC and S-RMAC from Key-MAC. Amendment D section 6.2.1. */
function deriveSession(
  token: Operations,
  { enc, mac, algorithm }: { readonly enc: Handle; readonly mac: Handle; readonly algorithm: KeyAlgorithm },
  context: Bytes,
): ChannelKeys {
  const isLong = context.length > BLOCK_BYTES;
  const headers = (constant: DerivationConstant): Bytes =>
    concat(
      ...Array.from({ length: keyBlocksOf(algorithm) }, (_, i) =>
        derivationBlock(constant, keyBitsOf(algorithm), i + 1),
      ),
    );
  /** What `derive` takes for each of the constants: the chain before its last block, xor K1. */
  const constantsOf = (base: Handle, ...constants: readonly DerivationConstant[]): readonly Bytes[] => {
    const zero = new Uint8Array(BLOCK_BYTES);
    const size = keyBlocksOf(algorithm) * BLOCK_BYTES;
    const [zeroed, ...started] = blocksOf(token.ecb(base, concat(zero, ...constants.map(headers))));
    // Of an S16 context the first block is folded in here, so that one is left for the derivation.
    const folded = isLong
      ? token.ecb(base, concat(...started.map((block) => xor(block, context.subarray(0, BLOCK_BYTES)))))
      : concat(...started);
    const block = (at: number): Bytes => folded.subarray(at, at + BLOCK_BYTES);
    return constants.map((_, i) =>
      concat(
        ...Array.from({ length: keyBlocksOf(algorithm) }, (__, half) =>
          derivationIv(zeroed ?? zero, block(i * size + half * BLOCK_BYTES)),
        ),
      ),
    );
  };
  const last = context.subarray(-BLOCK_BYTES);
  const [ofEnc = NO_DATA] = constantsOf(enc, DerivationConstant.sEnc);
  const [ofMac = NO_DATA, ofRmac = NO_DATA] = constantsOf(
    mac,
    DerivationConstant.sMac,
    DerivationConstant.sRmac,
  );
  const sEnc = token.derive(enc, ofEnc, last, sizedRule('s-enc', algorithm));
  const sMac = token.derive(mac, ofMac, last, sizedRule('s-mac', algorithm));
  const sRmac = token.derive(mac, ofRmac, last, sizedRule('s-rmac', algorithm));
  return {
    mac: (message) => token.cmac(sMac, message),
    responseMac: (message) => token.cmac(sRmac, message),
    encryptBlock: (data) => token.ecb(sEnc, data),
    encrypt: (ivBlock, data) => token.cbc(sEnc, ivBlock, data),
    decrypt: (ivBlock, data) => token.cbcDecrypt(sEnc, ivBlock, data),
  };
}

function blocksOf(bytes: Bytes): readonly Bytes[] {
  return Array.from({ length: bytes.length / BLOCK_BYTES }, (_, i) =>
    bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES),
  );
}

/** @throws Fault KEY_POLICY_BROKEN when the file was changed since the ceremony */
function checkSeal(token: Operations, seal: Handle | undefined, constants: Constants): void {
  if (seal === undefined || !equal(token.cmac(seal, sealedText(constants.entries)), constants.seal))
    throw new Fault('KEY_POLICY_BROKEN', { key: 'constants-seal', attribute: 'seal of the constants file' });
}
