/**
 * The constants file: for each master and key version the three values that turn its scheme into one PKCS#11
 * derivation. They are no secret, but whoever changes one aims the derivation at another EID; so the file is
 * sealed by a key of the token.
 */
import { readFileSync } from 'node:fs';
import { type Bytes, concat, fromHex, fromText, toHex } from '../../../runtime/core/bytes.ts';
import { canonicalJson } from '../../../runtime/core/canonical-json.ts';
import { eidKdfHeader, KeyIdentifier } from '../../../runtime/core/card/eid-kdf.ts';
import { an10922Subkey } from '../../../runtime/core/card/import-schemes.ts';
import { keyBitsOf, keyBlocksOf } from '../../../runtime/core/card/key-algorithm.ts';
import { derivationIv } from '../../../runtime/core/card/scp03.ts';
import { BLOCK_BYTES } from '../../../runtime/core/crypto/cmac.ts';
import { Fault } from '../../../runtime/core/faults.ts';
import type { CheckValues } from '../../../runtime/core/token.ts';
import { type Master, parseMaster } from '../masters.ts';

/** A valid EID of no chip; its check values show at each start that the constants fit their master. */
export const TEST_EID = '89049032123451234512345678901235';
/** Another one, which must get other keys. */
export const OTHER_EID = '89086030202200000022000023022943';

/** One key set of one master. */
export interface ConstantEntry {
  readonly master: string;
  readonly keyVersion: number;
  /**
   * For Key-ENC, Key-MAC and Key-DEK what `derive` of `operations.ts` takes: 16 bytes, 32 for AES-256. Of KDF3 and
   * AN10922 the master's subkey, 16 bytes; of triple DES, and of a master with a native derivation, nothing.
   */
  readonly ivs: readonly [enc: Bytes, mac: Bytes, dek: Bytes];
  /** Of the test EID's keys. */
  readonly checkValues: CheckValues;
}

export interface Constants {
  readonly entries: readonly ConstantEntry[];
  /** AES-CMAC under `constants-seal` over `sealedText`. */
  readonly seal: Bytes;
}

/** What the seal is computed over. */
export function sealedText(entries: readonly ConstantEntry[]): Bytes {
  return fromText(canonicalJson(contentOf(entries)));
}

export function encodeConstants({ entries, seal }: Constants): string {
  return `${JSON.stringify({ ...contentOf(entries), seal: toHex(seal) }, null, 2)}\n`;
}

/** @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
export function readConstants(path: string): Constants {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Fault('FILE_UNREADABLE', { path }, { cause: error });
  }
  try {
    return decode(JSON.parse(text));
  } catch (error) {
    throw new Fault('CONFIG_INVALID', { setting: 'constantsFile', path }, { cause: error });
  }
}

/** @throws Fault CONFIG_INVALID when the ceremony has not computed this entry */
export function entryOf(constants: Constants, master: string, keyVersion: number): ConstantEntry {
  const entry = constants.entries.find((one) => one.master === master && one.keyVersion === keyVersion);
  if (entry === undefined)
    throw new Fault('CONFIG_INVALID', { setting: 'constantsFile', master, keyVersion });
  return entry;
}

/**
 * Two entries must never give one chip the same keys. Generation, key version and length are bound by the EID-KDF;
 * vendors' schemes bind none of them, so those are left out.
 * @throws Fault KEY_POLICY_BROKEN naming both entries
 */
export function demandUnique(entries: readonly ConstantEntry[]): void {
  const seen = new Map<string, ConstantEntry>();
  for (const entry of entries) {
    if (masterNamed(entry.master).scheme !== 'eid-kdf-1') continue;
    const values = entry.checkValues.join();
    const same = seen.get(values);
    if (same !== undefined)
      throw new Fault('KEY_POLICY_BROKEN', {
        key: entry.master,
        keyVersion: entry.keyVersion,
        attribute: 'check values of the test EID',
        sameAs: `${same.master}, key version ${same.keyVersion}`,
      });
    seen.set(values, entry);
  }
}

/**
 * The test EID must get the keys it got at the ceremony, and another EID none of them: a derivation that does not
 * diversify has been seen in the field.
 * @param valuesOf check values of an EID's keys, as the token derives them
 * @throws Fault KEY_POLICY_BROKEN naming the entry
 */
export function demandDiversified(entry: ConstantEntry, valuesOf: (eid: string) => CheckValues): void {
  const [own, other] = [valuesOf(TEST_EID), valuesOf(OTHER_EID)];
  const asAtCeremony = own.join() === entry.checkValues.join();
  if (!asAtCeremony || own.some((value, i) => value === other[i]))
    throw new Fault('KEY_POLICY_BROKEN', {
      key: entry.master,
      keyVersion: entry.keyVersion,
      attribute: 'check values of the test EID',
    });
}

/**
 * Computes the constants of one key set.
 * @param encipher AES of one block under the master; only a ceremony can do that
 */
export function computeIvs(
  master: string,
  keyVersion: number,
  encipher: (block: Bytes) => Bytes,
): ConstantEntry['ivs'] {
  const { scheme, generation, algorithm } = masterNamed(master);
  if (scheme === 'visa2' || scheme === 'emv-cps-1.1') return [NOTHING, NOTHING, NOTHING];
  const zero = encipher(new Uint8Array(BLOCK_BYTES));
  if (scheme !== 'eid-kdf-1') {
    // Diversification data of 10 bytes never fill the two blocks of AN10922; they fill the block of KDF3.
    const subkey = an10922Subkey(zero, scheme === 'kdf3');
    return [subkey, subkey, subkey];
  }
  const purpose = { generation, keyVersion, bits: keyBitsOf(algorithm) };
  const iv = (keyIdentifier: KeyIdentifier): Bytes =>
    concat(
      ...Array.from({ length: keyBlocksOf(algorithm) }, (_, i) =>
        derivationIv(zero, encipher(eidKdfHeader({ ...purpose, keyIdentifier }, i + 1))),
      ),
    );
  return [iv(KeyIdentifier.enc), iv(KeyIdentifier.mac), iv(KeyIdentifier.dek)];
}

const NOTHING = new Uint8Array(0);
/** Of a master whose derivation is native: its token needs none. */
export const NO_IVS: ConstantEntry['ivs'] = [NOTHING, NOTHING, NOTHING];

function masterNamed(name: string): Master {
  const master = parseMaster(name);
  if (master === null) throw new RangeError('an entry names no master');
  return master;
}

/** Bytes of each of an entry's three constants. */
function ivBytesOf({ scheme, algorithm }: Master): number {
  if (scheme === 'visa2' || scheme === 'emv-cps-1.1') return 0;
  return scheme === 'eid-kdf-1' ? keyBlocksOf(algorithm) * BLOCK_BYTES : BLOCK_BYTES;
}

function contentOf(entries: readonly ConstantEntry[]): object {
  return {
    version: 1,
    testEid: TEST_EID,
    entries: entries.map(({ master, keyVersion, ivs, checkValues }) => ({
      master,
      keyVersion,
      ivs: ivs.map(toHex),
      checkValues,
    })),
  };
}

function decode(value: unknown): Constants {
  const { version, testEid, entries, seal } = value as Readonly<Record<string, unknown>>;
  if (version !== 1 || testEid !== TEST_EID || !Array.isArray(entries) || typeof seal !== 'string')
    throw new RangeError('not a constants file of version 1');
  return { entries: entries.map(decodeEntry), seal: fromHex(seal) };
}

function decodeEntry(value: unknown): ConstantEntry {
  const { master, keyVersion, ivs, checkValues } = value as Readonly<Record<string, unknown>>;
  if (typeof master !== 'string') throw new RangeError('an entry names no master');
  if (typeof keyVersion !== 'number') throw new RangeError('an entry names no key version');
  return {
    master,
    keyVersion,
    ivs: texts(ivs, 2 * ivBytesOf(masterNamed(master)), true).map(fromHex) as unknown as ConstantEntry['ivs'],
    checkValues: texts(checkValues, 6) as unknown as CheckValues,
  };
}

/** Three texts of hexadecimal digits, or three of none where that may be. */
function texts(value: unknown, digits: number, mayBeNone = false): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const size = mayBeNone && list.every((text) => text === '') ? 0 : digits;
  const found = list.filter((text): text is string => typeof text === 'string' && text.length === size);
  if (list.length !== 3 || found.length !== 3) throw new RangeError('an entry has three values');
  return found;
}
