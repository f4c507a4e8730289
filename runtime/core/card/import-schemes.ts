/**
 * How makers of chips derive transport sets from a master of theirs. These schemes exist only to receive such
 * chips: nothing of the fleet is derived by them.
 *
 * Limits: AN10922 for AES-128 alone. VISA2 and EMV CPS give 16 bytes by triple DES, used as AES-128 keys.
 *
 * @see EMV Card Personalization Specification 1.1; NXP AN10922
 */
import { type Bytes, concat, xor } from '../bytes.ts';
import { BLOCK_BYTES, type BlockCipher, double } from '../crypto/cmac.ts';
import type { KeyIdentifier } from './eid-kdf.ts';
import type { KeyAlgorithm } from './key-algorithm.ts';

/** `none`: one fixed set for every chip. `eid-kdf-1`: the fleet's own derivation, generation 0. */
export const transportSchemes = ['eid-kdf-1', 'visa2', 'emv-cps-1.1', 'kdf3', 'an10922', 'none'] as const;
export type TransportScheme = (typeof transportSchemes)[number];

/** Who has a chip's transport keys: its maker alone, everybody who buys such chips, or anybody who can read. */
export const transportClasses = ['diversified', 'shared', 'published'] as const;

/** Schemes that start from the diversification data of the answer to INITIALIZE UPDATE. */
export const vendorSchemes = ['visa2', 'emv-cps-1.1', 'kdf3', 'an10922'] as const;
export type VendorScheme = (typeof vendorSchemes)[number];

/** Bytes of the key diversification data in the answer to INITIALIZE UPDATE. Amendment D section 7.1.1. */
export const DIVERSIFICATION_BYTES = 10;
/** Longest diversification input of AN10922, so that with its constant it fills two blocks. Section 2.2. */
const AN10922_INPUT_BYTES_MAX = 31;
/** Constant before the input of an AES-128 key. AN10922 section 2.2. */
const AN10922_AES128 = 0x01;
/** Which bytes of the diversification data stand in each half of what triple DES enciphers. */
const TRIPLE_DES_BYTES = { visa2: [0, 1, 4, 5, 6, 7], 'emv-cps-1.1': [4, 5, 6, 7, 8, 9] } as const;

export function isVendorScheme(scheme: TransportScheme): scheme is VendorScheme {
  return (vendorSchemes as readonly string[]).includes(scheme);
}

/** Whether the scheme makes keys of this kind. */
export function schemeFits(scheme: TransportScheme, algorithm: KeyAlgorithm): boolean {
  return algorithm === 'aes-128' || scheme === 'eid-kdf-1' || scheme === 'kdf3' || scheme === 'none';
}

/** The master that the maker of the chips uses, behind the two ciphers there are. */
export interface VendorMaster {
  /** AES of one block. */
  readonly aes: BlockCipher;
  /** AES-CMAC of any message. */
  readonly mac: (message: Bytes) => Bytes;
  /** Triple DES in ECB mode over whole blocks of 8 bytes. */
  readonly tripleDes: (blocks: Bytes) => Bytes;
}

/**
 * One key of a chip's transport set.
 * @param data key diversification data, 10 bytes
 * @throws RangeError for data of another length or a key that the scheme does not make
 */
export function vendorKey(
  scheme: VendorScheme,
  master: VendorMaster,
  data: Bytes,
  { keyIdentifier, bits }: { readonly keyIdentifier: KeyIdentifier; readonly bits: 128 | 192 | 256 },
): Bytes {
  switch (scheme) {
    case 'visa2':
    case 'emv-cps-1.1':
      return master.tripleDes(tripleDesInput(scheme, data, keyIdentifier));
    case 'kdf3':
      return kdf3Key(master.mac, data, { keyIdentifier, bits });
    case 'an10922':
      return an10922Key(master.aes, an10922Input(data, keyIdentifier));
  }
}

/** Six bytes of the data, F0, k, the same six, 0F, k: what triple DES enciphers to a key. */
export function tripleDesInput(
  scheme: 'visa2' | 'emv-cps-1.1',
  data: Bytes,
  keyIdentifier: KeyIdentifier,
): Bytes {
  checkData(data);
  const chosen = Uint8Array.from(TRIPLE_DES_BYTES[scheme], (at) => data[at] ?? 0);
  return concat(chosen, Uint8Array.of(0xf0, keyIdentifier), chosen, Uint8Array.of(0x0f, keyIdentifier));
}

/** Counter, 00 00 00 k, 00, data: the one block whose CMAC is a block of the key. */
export function kdf3Block(data: Bytes, keyIdentifier: KeyIdentifier, counter: number): Bytes {
  checkData(data);
  return concat(Uint8Array.of(counter, 0x00, 0x00, 0x00, keyIdentifier, 0x00), data);
}

function kdf3Key(
  mac: (message: Bytes) => Bytes,
  data: Bytes,
  { keyIdentifier, bits }: { readonly keyIdentifier: KeyIdentifier; readonly bits: number },
): Bytes {
  const blocks = Array.from({ length: Math.ceil(bits / 8 / BLOCK_BYTES) }, (_, i) =>
    mac(kdf3Block(data, keyIdentifier, i + 1)),
  );
  return concat(...blocks).slice(0, bits / 8);
}

/** The application note leaves the input to its user; here it is the data and the key's identifier. */
export function an10922Input(data: Bytes, keyIdentifier: KeyIdentifier): Bytes {
  checkData(data);
  return concat(data, Uint8Array.of(keyIdentifier));
}

/**
 * The two blocks of AN10922: `key = AES(AES(first) xor last xor subkey)`. A short input is padded to two blocks all
 * the same, which is why this is not CMAC. Section 2.2.
 * @param input 1 to 31 bytes
 */
export function an10922Blocks(input: Bytes): {
  readonly first: Bytes;
  readonly last: Bytes;
  readonly full: boolean;
} {
  if (input.length === 0 || input.length > AN10922_INPUT_BYTES_MAX)
    throw new RangeError('a diversification input of AN10922 has 1 to 31 bytes');
  const message = new Uint8Array(2 * BLOCK_BYTES);
  message[0] = AN10922_AES128;
  message.set(input, 1);
  const full = input.length === AN10922_INPUT_BYTES_MAX;
  if (!full) message[1 + input.length] = 0x80;
  return { first: message.slice(0, BLOCK_BYTES), last: message.slice(BLOCK_BYTES), full };
}

/** AES-128 key of 16 bytes. */
export function an10922Key(aes: BlockCipher, input: Bytes): Bytes {
  const { first, last, full } = an10922Blocks(input);
  return aes(xor(xor(aes(first), last), an10922Subkey(aes(new Uint8Array(BLOCK_BYTES)), full)));
}

/** K1 for a full message and K2 for a padded one. RFC 4493 section 2.3.
 * @param encipheredZero AES of a block of zeros */
export function an10922Subkey(encipheredZero: Bytes, full: boolean): Bytes {
  const subkey = double(encipheredZero);
  return full ? subkey : double(subkey);
}

function checkData(data: Bytes): void {
  if (data.length !== DIVERSIFICATION_BYTES) throw new RangeError('key diversification data are 10 bytes');
}
