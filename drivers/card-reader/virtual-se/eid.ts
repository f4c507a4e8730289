/**
 * Numbers for virtual chips.
 *
 * @see GSMA SGP.29 section 10 (check digits); ISO 7064 MOD 97-10
 */

/** Digits before the two check digits. */
const BODY_DIGITS = 30;

export const EID_PREFIX = '89049032';

/** The EID of chip number `index`: prefix, zeros, index, two check digits. The same index gives the same EID
 * for ever. @throws RangeError when the index does not fit behind the prefix. */
export function eidOfIndex(index: number, prefix: string = EID_PREFIX): string {
  const digits = String(index);
  if (!Number.isSafeInteger(index) || index < 0 || !/^\d{4,20}$/.test(prefix))
    throw new RangeError('an index is a whole number, a prefix has 4 to 20 digits');
  if (digits.length + prefix.length > BODY_DIGITS) throw new RangeError('the index is too large');
  const body = prefix + digits.padStart(BODY_DIGITS - prefix.length, '0');
  return body + String(98n - ((BigInt(body) * 100n) % 97n)).padStart(2, '0');
}
