/** Times as ISO 8601 text and as milliseconds: arithmetic only, the core has no clock. */
import { Fault } from './faults.ts';

/** Milliseconds since 1970 of an ISO 8601 time in UTC, by the calendar of ISO 8601 itself. */
export function instantMs(text: string): number {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?Z$/.exec(text);
  if (parts === null) throw new Fault('MESSAGE_MALFORMED', { instant: text.slice(0, 40) });
  const [year, month, day, hour, minute, second, fraction] = parts.slice(1).map((part) => part ?? '0');
  const days = daysSince1970(Number(year), Number(month), Number(day));
  const seconds = ((days * 24 + Number(hour)) * 60 + Number(minute)) * 60 + Number(second);
  return seconds * 1000 + Number((fraction ?? '0').padEnd(3, '0'));
}

/** Days from the civil calendar; March is taken as the first month, so that leap days come last. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  );
}

/** The inverse: `2026-11-22T12:00:00.000Z`. */
export function instantOf(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  const rest = ms - days * 86_400_000;
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365,
  );
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const day = doy - Math.floor((153 * mp + 2) / 5) + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  const two = (value: number, size = 2) => String(value).padStart(size, '0');
  const [h, m, s] = [rest / 3_600_000, (rest / 60_000) % 60, (rest / 1000) % 60].map(Math.floor);
  return `${two(year, 4)}-${two(month)}-${two(day)}T${two(h ?? 0)}:${two(m ?? 0)}:${two(s ?? 0)}.${two(rest % 1000, 3)}Z`;
}
