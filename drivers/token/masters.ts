/**
 * What the masters are called, in a token and in the constants file. One master for each length of card keys, so
 * that no key of one length can be had from the master of the other.
 */
import { TRANSPORT_GENERATION } from '../../runtime/core/card/eid-kdf.ts';
import { isVendorScheme, schemeFits, type VendorScheme } from '../../runtime/core/card/import-schemes.ts';
import { type KeyAlgorithm, keyAlgorithms } from '../../runtime/core/card/key-algorithm.ts';
import { Fault } from '../../runtime/core/faults.ts';
import type { KeySet } from '../../runtime/core/token.ts';

/** A master by what it may derive. */
export interface Master {
  readonly scheme: 'eid-kdf-1' | VendorScheme;
  readonly algorithm: KeyAlgorithm;
  /** Generation in the header of the EID-KDF; 0 for every transport master. */
  readonly generation: number;
}

/** Keys of a transport set that all chips share, as they are called in a token. */
export interface FixedSet {
  readonly enc: string;
  readonly mac: string;
  readonly dek: string;
}

const MASTER =
  /^(?:mdk-(?<generation>[1-9][0-9]{0,4})|transport-master(?:-(?<scheme>visa2|emv-cps-1\.1|kdf3|an10922))?)(?<long>-aes-256)?$/;

/**
 * The master of a key set: `mdk-1`, `mdk-1-aes-256`, `transport-master`, `transport-master-kdf3`.
 * @throws Fault CONFIG_INVALID for keys that the scheme does not make
 */
export function masterOf(keys: Exclude<KeySet, { readonly scheme: 'none' }>): string {
  const end = keys.algorithm === 'aes-128' ? '' : `-${keys.algorithm}`;
  if (keys.origin === 'fleet') return `mdk-${keys.generation}${end}`;
  if (!schemeFits(keys.scheme, keys.algorithm))
    throw new Fault('CONFIG_INVALID', { scheme: keys.scheme, algorithm: keys.algorithm });
  return isVendorScheme(keys.scheme) ? `transport-master-${keys.scheme}${end}` : `transport-master${end}`;
}

/** What a master of this name derives; null when no master is called so. */
export function parseMaster(name: string): Master | null {
  const found = MASTER.exec(name)?.groups;
  if (found === undefined) return null;
  const { generation = TRANSPORT_GENERATION, scheme = 'eid-kdf-1', long } = found;
  const algorithm = long === undefined ? 'aes-128' : 'aes-256';
  const master = { scheme: scheme as Master['scheme'], algorithm, generation: Number(generation) } as const;
  return schemeFits(master.scheme, algorithm) && master.generation <= 0xffff ? master : null;
}

/** `transport-enc`, `transport-mac` and `transport-dek`; with `-aes-256` for keys of that length. */
export function fixedSetOf(algorithm: KeyAlgorithm): FixedSet {
  const end = algorithm === 'aes-128' ? '' : `-${algorithm}`;
  return { enc: `transport-enc${end}`, mac: `transport-mac${end}`, dek: `transport-dek${end}` };
}

/** Every name of a fixed set's keys. */
export const fixedNames: readonly string[] = keyAlgorithms.flatMap((algorithm) =>
  Object.values(fixedSetOf(algorithm)),
);
