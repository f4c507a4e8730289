/** Which units an order is for: a range of EIDs, a prefix, or a list, always without the check digits. */
import { z } from 'zod';

/** Digits of an EID before its check digits. SGP.29. */
const DIGITS = 30;
/** The longest list: with it, and with as many officers as may be, a ticket still fits into a message. */
export const LISTED_MAX = 512;

const digits = z
  .string()
  .regex(/^\d{30}$/)
  .meta({ description: 'First 30 digits of an EID, without check digits.' });

const range = z
  .strictObject({ from: digits, to: digits })
  .refine(({ from, to }) => from <= to, { error: 'ends before it begins', path: ['to'] })
  .meta({ description: 'Range of EIDs, both ends included.' });

const prefix = z
  .strictObject({ prefix: z.string().regex(/^\d{1,30}$/) })
  .meta({ description: 'What the EIDs begin with.' });

const list = z
  .strictObject({ list: z.array(digits).min(1).max(LISTED_MAX) })
  .refine(({ list }) => list.every((one, i) => i === 0 || (list[i - 1] ?? '') < one), {
    error: 'is not in ascending order, or names an EID twice',
    path: ['list'],
  })
  .meta({ description: 'EIDs one by one, in ascending order.' });

export const eidRule = z
  .union([range, prefix, list])
  .meta({ description: 'EIDs of the order: a range, a prefix or a list.' });
export type EidRule = z.output<typeof eidRule>;

/** @param eid 32 digits; its check digits are judged where it was read */
export function covers(rule: EidRule, eid: string): boolean {
  const first = eid.slice(0, DIGITS);
  if ('list' in rule) return isListed(rule.list, first);
  if ('prefix' in rule) return first.startsWith(rule.prefix);
  return rule.from <= first && first <= rule.to;
}

/** `EIDs that begin with 89049032`. */
export function eidRuleText(rule: EidRule): string {
  if ('prefix' in rule) return `EIDs that begin with ${rule.prefix}`;
  if ('from' in rule) return `EIDs from ${rule.from} to ${rule.to}, check digits apart`;
  const [first = '', last = first] = [rule.list[0], rule.list.at(-1)];
  return `a list of ${rule.list.length} EIDs, from ${first} to ${last}, check digits apart`;
}

/** By halves: a list is judged once for each unit. */
function isListed(list: readonly string[], wanted: string): boolean {
  let [low, high] = [0, list.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = list[middle] ?? '';
    if (found === wanted) return true;
    if (found < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

/** How many EIDs there are of the rule at most; check digits follow from the rest. */
export function coveredMax(rule: EidRule): bigint {
  if ('list' in rule) return BigInt(rule.list.length);
  if ('prefix' in rule) return 10n ** BigInt(DIGITS - rule.prefix.length);
  return BigInt(rule.to) - BigInt(rule.from) + 1n;
}
