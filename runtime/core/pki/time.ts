/**
 * Times of certificates. The core has no calendar of its own, so days are counted here.
 *
 * @see RFC 5280 section 4.1.2.5
 */
import { type Bytes, fromText, toText } from '../bytes.ts';
import { der, type Node, Tag } from './der.ts';

/** No planned end: 99991231235959Z, in milliseconds since 1970. IEEE 802.1AR-2018 section 8.7. */
export const FAR_DATE_MS = 253_402_300_799_000;

const DAY_MS = 86_400_000;
/** Days of the 400-year cycle of the Gregorian calendar. */
const CYCLE_DAYS = 146_097;
/** From 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719_468;

/** Whole seconds as UTCTime up to 2049 and GeneralizedTime after. */
export function timeOf(atMs: number): Bytes {
  const text = digitsOf(atMs);
  return Number(text.slice(0, 4)) < 2050 && Number(text.slice(0, 4)) >= 1950
    ? der(Tag.utcTime, fromText(`${text.slice(2)}Z`))
    : generalizedTime(atMs);
}

export function generalizedTime(atMs: number): Bytes {
  return der(Tag.generalizedTime, fromText(`${digitsOf(atMs)}Z`));
}

/** Milliseconds since 1970. @throws RangeError when the form is not that of RFC 5280 */
export function readTime(node: Node | undefined): number {
  const text = node === undefined ? '' : toText(node.content);
  if (node?.tag === Tag.utcTime && /^[0-9]{12}Z$/.test(text))
    return millisecondsOf(`${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`);
  if (node?.tag === Tag.generalizedTime && /^[0-9]{14}Z$/.test(text)) return millisecondsOf(text);
  throw new RangeError('not a time of RFC 5280');
}

/** YYYYMMDDHHMMSS. Algorithm: days since 0000-03-01, so that the leap day ends the year. */
function digitsOf(atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  const days = Math.floor(seconds / 86_400) + EPOCH_DAYS;
  const cycle = Math.floor(days / CYCLE_DAYS);
  const day = days - cycle * CYCLE_DAYS;
  const year = Math.floor(
    (day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  );
  const dayOfYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  const civilMonth = month < 10 ? month + 3 : month - 9;
  const civilYear = cycle * 400 + year + (civilMonth <= 2 ? 1 : 0);
  const rest = ((seconds % 86_400) + 86_400) % 86_400;
  const clock = [Math.floor(rest / 3600), Math.floor((rest % 3600) / 60), rest % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return String(civilYear).padStart(4, '0') + [civilMonth, dayOfMonth, ...clock].map(two).join('');
}

function millisecondsOf(text: string): number {
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = [
    text.slice(0, 4),
    ...(text.slice(4, 14).match(/../g) ?? []),
  ].map(Number);
  const shifted = month > 2 ? year : year - 1;
  const cycle = Math.floor(shifted / 400);
  const yearOfCycle = shifted - cycle * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfCycle =
    yearOfCycle * 365 + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100) + dayOfYear;
  const days = cycle * CYCLE_DAYS + dayOfCycle - EPOCH_DAYS;
  const atMs = days * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1000;
  if (digitsOf(atMs) !== text.slice(0, 14)) throw new RangeError('not a date');
  return atMs;
}
