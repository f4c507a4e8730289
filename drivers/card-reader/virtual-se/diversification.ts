/**
 * The fleet's own derivation of a chip's keys from its EID: SP 800-108 in counter mode over AES-CMAC with the
 * header of SCP03 and a label of its own. The makers of chips calculate transport keys with it.
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { BLOCK, createMac } from './cipher.ts';

/** Names the scheme; an opaque constant. */
const LABEL = Buffer.from('MPR1SCP3', 'latin1');

/** Which key of a set; GPCS 2.3.1 key identifiers. */
export const KeyIdentifier = { enc: 0x01, mac: 0x02, dek: 0x03 } as const;

export interface Diversification {
  /** AES-256, 32 bytes. */
  readonly master: Bytes;
  readonly generation: number;
  readonly keyVersion: number;
  /** 32 decimal digits. */
  readonly eid: string;
  readonly keyBytes: 16 | 24 | 32;
}

/** ENC, MAC and DEK of one set, each in hexadecimal. */
export function diversifiedSet(source: Diversification): { enc: string; mac: string; dek: string } {
  const hex = (identifier: number): string => diversifiedKey(source, identifier).toString('hex');
  return { enc: hex(KeyIdentifier.enc), mac: hex(KeyIdentifier.mac), dek: hex(KeyIdentifier.dek) };
}

export function diversifiedKey(source: Diversification, keyIdentifier: number): Buffer {
  const mac = createMac(source.master);
  const eid = Buffer.from(source.eid, 'hex');
  const first = mac(header(source, keyIdentifier, 1), eid);
  if (source.keyBytes === BLOCK) return first;
  return Buffer.concat([first, mac(header(source, keyIdentifier, 2), eid)]).subarray(0, source.keyBytes);
}

/** Label (8), generation (2), key version, key identifier, 00, bits (2), counter. */
export function header(source: Diversification, keyIdentifier: number, counter: number): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  bytes.set(LABEL);
  bytes.writeUInt16BE(source.generation, 8);
  bytes[10] = source.keyVersion;
  bytes[11] = keyIdentifier;
  bytes.writeUInt16BE(source.keyBytes * 8, 13);
  bytes[15] = counter;
  return bytes;
}
