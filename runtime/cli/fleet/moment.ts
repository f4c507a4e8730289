/** Times as people type them where the fleet is asked. */
import { instantOf } from '../../core/instant.ts';
import { type Arguments, textOf, usage } from '../command.ts';

/** ISO 8601 in UTC, to the millisecond; null where nothing was typed. A day is its first instant. @throws Fault USAGE */
export function momentOf(given: Arguments, option: string): string | null {
  const typed = textOf(given, option);
  if (typed === null) return null;
  const atMs = Date.parse(typed);
  if (!/^\d{4}-\d\d-\d\d/.test(typed) || !Number.isFinite(atMs))
    throw usage(`--${option} takes a time such as 2027-01-31 or 2027-01-31T12:00:00Z, not ${typed}`);
  return instantOf(atMs);
}
