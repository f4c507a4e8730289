/**
 * GlobalPlatform commands and what their answers say.
 *
 * @see GPCS 2.3.1 chapter 11
 */
import { type Bytes, concat, fromHex, toHex } from '../bytes.ts';
import { Fault } from '../faults.ts';
import type { Command } from './apdu.ts';
import { decodeTlv, encodeTlv, tlvAt } from './tlv.ts';

/** Le 00: as much as there is. */
const ALL = 0;

export function select(aid: Bytes): Command {
  return { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, data: aid, expected: ALL };
}

/** GPCS 2.3.1 section 11.3. `tag`: one or two bytes, hexadecimal. Answers the whole object. */
export function getData(tag: string): Command {
  const value = Number.parseInt(tag, 16);
  return { cla: 0x80, ins: 0xca, p1: value >> 8, p2: value & 0xff, expected: ALL };
}

/** GPCS 2.3.1 section 11.2: removes every key of one version. */
export function deleteKeyVersion(keyVersion: number): Command {
  return {
    cla: 0x80,
    ins: 0xe4,
    p1: 0,
    p2: 0,
    data: encodeTlv('D2', Uint8Array.of(keyVersion)),
    expected: ALL,
  };
}

/** GPCS 2.3.1 section 11.4, P1 80: the issuer security domain, in tagged form. */
export function getStatusOfSecurityDomain(): Command {
  return { cla: 0x80, ins: 0xf2, p1: 0x80, p2: 0x02, data: fromHex('4f00'), expected: ALL };
}

/** Life cycle of the card. GPCS 2.3.1 table 11-6. */
export const LifeCycle = { opReady: 0x01, initialized: 0x07, secured: 0x0f, locked: 0x7f } as const;

/** GPCS 2.3.1 section 11.10, P1 80: the card itself. */
export function setCardStatus(lifeCycle: number): Command {
  return { cla: 0x80, ins: 0xf0, p1: 0x80, p2: lifeCycle };
}

/** One line of the key information template. GPCS 2.3.1 section 11.3.3.1. */
export interface KeyInformation {
  readonly keyId: number;
  readonly keyVersion: number;
  readonly components: readonly { readonly type: number; readonly length: number }[];
}

/** Reads `E0 { C0 {KID, KVN, (type, length)+} ... }`. @throws Fault CARD_ANSWER_MALFORMED */
export function decodeKeyTemplate(bytes: Bytes): readonly KeyInformation[] {
  return decodeTlv(tlvAt(bytes, 'E0'))
    .filter((object) => object.tag === 'C0')
    .map(({ value }) => ({
      keyId: value[0] ?? 0,
      keyVersion: value[1] ?? 0,
      components: componentsOf(value.subarray(2)),
    }));
}

/** Type byte FF opens the extended form: 2-byte type, 2-byte length, usage and access behind. Table 11-31. */
function componentsOf(bytes: Bytes): KeyInformation['components'] {
  const extended = bytes[0] === 0xff;
  const list: { type: number; length: number }[] = [];
  if (extended) {
    for (let at = 0; bytes[at] === 0xff && at + 4 <= bytes.length; at += 4)
      list.push({
        type: ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0),
        length: ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0),
      });
    return list;
  }
  for (let at = 0; at + 2 <= bytes.length; at += 2)
    list.push({ type: bytes[at] ?? 0, length: bytes[at + 1] ?? 0 });
  return list;
}

/** The versions a template lists, ascending, each once. */
export function keyVersionsOf(template: readonly KeyInformation[]): readonly number[] {
  return [...new Set(template.map((key) => key.keyVersion))].sort((a, b) => a - b);
}

/** The life cycle in the answer to GET STATUS for the security domain `aid`. @throws Fault CARD_ANSWER_MALFORMED */
export function decodeLifeCycle(answer: Bytes, aid: Bytes): number {
  for (const entry of decodeTlv(answer).filter((object) => object.tag === 'E3')) {
    const state = tlvAt(entry.value, '9F70')[0];
    if (toHex(tlvAt(entry.value, '4F')) === toHex(aid) && state !== undefined) return state;
  }
  throw new Fault('CARD_ANSWER_MALFORMED', { object: 'GET STATUS names another application' });
}

/** What the SE fingerprint is made of: ATR and the profile's objects, each with its length in front. */
export function fingerprintInput(atr: Bytes, objects: readonly Bytes[]): Bytes {
  return concat(
    ...[atr, ...objects].map((part) => concat(Uint8Array.of(part.length >> 8, part.length & 0xff), part)),
  );
}
