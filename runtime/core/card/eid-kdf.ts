/**
 * EID-KDF: how the fleet derives a card's key set from a master and the card's EID. NIST SP 800-108 counter mode
 * with AES-CMAC, the counter inside the fixed input, so that the input is always exactly two blocks:
 *
 *     key = CMAC(master, header(16) || EID(16))     AES-256: header with i = 1, then with i = 2
 *
 * The label is frozen: changing it changes every key of the fleet.
 */
import { type Bytes, bigEndian, concat, fromHex, fromText } from '../bytes.ts';
import { BLOCK_BYTES } from '../crypto/cmac.ts';

/** Label of card keys that are derived from an EID: 4D 50 52 31 53 43 50 33. */
const LABEL = fromText('MPR1SCP3');
const EID_DIGITS = /^[0-9]{32}$/;

/** The keys of one set; the numbers are GlobalPlatform's key identifiers. */
export const KeyIdentifier = { enc: 1, mac: 2, dek: 3 } as const;
export type KeyIdentifier = (typeof KeyIdentifier)[keyof typeof KeyIdentifier];

/** Key versions that are customary for SCP03, 30 to 3F: a ceremony computes constants for each. */
export const scp03KeyVersions: readonly number[] = Array.from({ length: 16 }, (_, i) => 0x30 + i);

/** A transport master has no generation of ours. */
export const TRANSPORT_GENERATION = 0;

export interface KeyPurpose {
  /** Generation of the master, 1 to 65535; 0 for the transport master. */
  readonly generation: number;
  readonly keyVersion: number;
  readonly keyIdentifier: KeyIdentifier;
  readonly bits: 128 | 192 | 256;
}

/**
 * The key itself: one block for AES-128, two joined and cut for longer keys.
 * @param mac AES-CMAC under the master
 */
export function eidKdfKey(mac: (message: Bytes) => Bytes, purpose: KeyPurpose, eid: string): Bytes {
  const context = eidContext(eid);
  const blocks = Array.from({ length: Math.ceil(purpose.bits / 8 / BLOCK_BYTES) }, (_, i) =>
    mac(concat(eidKdfHeader(purpose, i + 1), context)),
  );
  return concat(...blocks).slice(0, purpose.bits / 8);
}

/** Bytes 0..15 of the derivation input; `counter` is 1, and 2 for the second half of a longer key. */
export function eidKdfHeader(purpose: KeyPurpose, counter = 1): Bytes {
  const { generation, keyVersion } = purpose;
  if (!Number.isInteger(generation) || generation < 0 || generation > 0xffff)
    throw new RangeError('a generation is 0 to 65535');
  if (!Number.isInteger(keyVersion) || keyVersion < 1 || keyVersion > 0xff)
    throw new RangeError('a key version is 1 to 255');
  return concat(
    LABEL,
    bigEndian(generation, 2),
    Uint8Array.of(keyVersion, purpose.keyIdentifier, 0x00),
    bigEndian(purpose.bits, 2),
    Uint8Array.of(counter),
  );
}

/** Bytes 16..31: the 32 digits as packed BCD in reading order, the same bytes an eUICC answers under tag 5A. */
export function eidContext(eid: string): Bytes {
  if (!EID_DIGITS.test(eid)) throw new RangeError('an EID has 32 digits');
  return fromHex(eid);
}
