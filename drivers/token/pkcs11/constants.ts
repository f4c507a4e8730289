/**
 * The constants file: for each master and key version the three values that turn the EID-KDF into one PKCS#11
 * derivation. They are no secret, but whoever changes one aims the derivation at another EID; so the file is
 * sealed by a key of the token.
 */
import { readFileSync } from 'node:fs';
import { type Bytes, fromHex, fromText, toHex } from '../../../runtime/core/bytes.ts';
import { canonicalJson } from '../../../runtime/core/canonical-json.ts';
import { eidKdfHeader, KeyIdentifier, TRANSPORT_GENERATION } from '../../../runtime/core/card/eid-kdf.ts';
import { derivationIv } from '../../../runtime/core/card/scp03.ts';
import { Fault } from '../../../runtime/core/faults.ts';
import type { CheckValues } from '../../../runtime/core/token.ts';
import { TRANSPORT_MASTER } from '../vault.ts';

/** A valid EID of no chip; its check values show at each start that the constants fit their master. */
export const TEST_EID = '89049032123451234512345678901235';
/** Another one, which must get other keys. */
export const OTHER_EID = '89086030202200000022000023022943';

/** One key set of one master. */
export interface ConstantEntry {
  readonly master: string;
  readonly keyVersion: number;
  /** IVs for Key-ENC, Key-MAC and Key-DEK, 16 bytes each. */
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

/** The generation that stands in the KDF header for a master. */
export function generationOf(master: string): number {
  return master === TRANSPORT_MASTER ? TRANSPORT_GENERATION : Number(master.replace('mdk-', ''));
}

/**
 * Computes the IVs for one key set.
 * @param encipher AES of whole blocks under the master; only a ceremony can do that
 */
export function computeIvs(
  master: string,
  keyVersion: number,
  encipher: (block: Bytes) => Bytes,
): ConstantEntry['ivs'] {
  const zero = encipher(new Uint8Array(16));
  const generation = generationOf(master);
  const iv = (keyIdentifier: KeyIdentifier): Bytes =>
    derivationIv(zero, encipher(eidKdfHeader({ generation, keyVersion, keyIdentifier, bits: 128 })));
  return [iv(KeyIdentifier.enc), iv(KeyIdentifier.mac), iv(KeyIdentifier.dek)];
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
  if (typeof master !== 'string' || !Number.isInteger(generationOf(master)))
    throw new RangeError('an entry names no master');
  if (typeof keyVersion !== 'number') throw new RangeError('an entry names no key version');
  return {
    master,
    keyVersion,
    ivs: texts(ivs, 32).map(fromHex) as unknown as ConstantEntry['ivs'],
    checkValues: texts(checkValues, 6) as unknown as CheckValues,
  };
}

/** Three texts of hexadecimal digits. */
function texts(value: unknown, digits: number): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const found = list.filter((text): text is string => typeof text === 'string' && text.length === digits);
  if (list.length !== 3 || found.length !== 3) throw new RangeError('an entry has three values');
  return found;
}
