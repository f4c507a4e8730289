/**
 * EID: the hardware identifier of an eUICC, 32 decimal digits of which the last two are check digits.
 *
 * @see SGP.29 section 10; ISO/IEC 7064 MOD 97-10
 */
import { type Bytes, fromHex, toHex } from './bytes.ts';
import { Fault } from './faults.ts';

/** Length of an EID as bytes, packed decimal in reading order, not nibble-swapped. */
export const EID_BYTES = 16;

/** Whether the text is 32 decimal digits with the right check digits. */
export function isEid(text: string): boolean {
  return /^\d{32}$/.test(text) && BigInt(text) % 97n === 1n;
}

/** The EID in a value of tag 5A. @throws Fault CARD_EID_INVALID */
export function eidFromBytes(bytes: Bytes): string {
  const text = toHex(bytes);
  if (!isEid(text)) throw new Fault('CARD_EID_INVALID', { digits: text.slice(-4) });
  return text;
}

export function eidToBytes(eid: string): Bytes {
  return fromHex(eid);
}

/** Appends the check digits to 30 digits. */
export function withCheckDigits(digits: string): string {
  const check = 98n - ((BigInt(digits) * 100n) % 97n);
  return digits + check.toString().padStart(2, '0');
}

/** How an EID is shown to people: `…1235`. */
export function shortEid(eid: string): string {
  return `…${eid.slice(-4)}`;
}
