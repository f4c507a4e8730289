/**
 * The data objects of the issuer security domain.
 *
 * @see GPCS 2.3.1 section 11.3 and annex H
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import type { ChipState } from './chip.ts';
import { defaultCounter } from './initiation.ts';
import { tlv } from './tlv.ts';

const AES = 0x88;
const KEYS_PER_SET = 3;

/** The value behind a tag of two bytes; undefined when the card has no such object. */
export function dataObject(state: ChipState, tag: number): Bytes | undefined {
  switch (tag) {
    case 0x9f7f:
      return Buffer.from(state.cplc, 'hex');
    case 0x42:
      return Buffer.from(state.iin, 'hex');
    case 0x45:
      return Buffer.from(state.cin, 'hex');
    case 0x5a:
      return Buffer.from(state.eid, 'hex');
    case 0x66:
      return cardData(state.profile.iParameter);
    case 0xe0:
      return keyTemplate(state);
    case 0xc1:
      return defaultCounter(state);
    default:
      return undefined;
  }
}

/** `C0 {KID, KVN, 88, length}` for every key, sets in the order of their making. */
function keyTemplate(state: ChipState): Buffer {
  const entries = state.keySets.flatMap((set) =>
    Array.from({ length: KEYS_PER_SET }, (_, i) =>
      tlv(0xc0, Buffer.of(i + 1, set.keyVersion, AES, set.enc.length / 2)),
    ),
  );
  return Buffer.concat(entries);
}

/** Card recognition data: GlobalPlatform 2.3.1, identification scheme 3, SCP03 with its i. GPCS 2.3.1 annex H. */
function cardData(iParameter: number): Buffer {
  const oid = (...arcs: readonly number[]): Buffer => tlv(0x06, Buffer.from([...GLOBAL_PLATFORM, ...arcs]));
  return tlv(
    0x73,
    oid(1),
    tlv(0x60, oid(2, 2, 3, 1)),
    tlv(0x63, oid(3)),
    tlv(0x64, oid(4, 0x03, iParameter)),
  );
}

/** {1 2 840 114283}. All further arcs are below 128, i up to 71 included: one byte each. */
const GLOBAL_PLATFORM = Buffer.from('2a864886fc6b', 'hex');
