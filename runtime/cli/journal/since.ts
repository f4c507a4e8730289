/** Times as people type them, in the time zone of this machine: the grammar of journalctl, as far as it is needed. */

const SECOND_MS = 1000;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  min: 60 * SECOND_MS,
  h: 3600 * SECOND_MS,
  d: 86_400 * SECOND_MS,
};
const UNIT_OF: Readonly<Record<string, string>> = {
  s: 's',
  sec: 's',
  second: 's',
  seconds: 's',
  m: 'min',
  min: 'min',
  mins: 'min',
  minute: 'min',
  minutes: 'min',
  h: 'h',
  hour: 'h',
  hours: 'h',
  d: 'd',
  day: 'd',
  days: 'd',
};

/** What --since understands; stands in the help. */
export const SINCE_FORMS =
  'ISO time, "2026-10-06 14:05", "14:05", "10 min ago", "2 h ago", "today", "yesterday", "yesterday 14:05"';

/** Milliseconds since 1970; null for what is no time. A time of day is the last one that has been. */
export function sinceMs(typed: string, nowMs: number): number | null {
  const text = typed.trim().toLowerCase();
  const span = /^(\d+)\s*([a-z]+)\s+ago$/.exec(text);
  if (span !== null) {
    const unit = UNIT_MS[UNIT_OF[span[2] ?? ''] ?? ''];
    return unit === undefined ? null : nowMs - Number(span[1]) * unit;
  }
  const named = /^(today|yesterday)(?:\s+(\S+))?$/.exec(text);
  if (named !== null) return inDay(dayBefore(nowMs, named[1] === 'today' ? 0 : 1), named[2] ?? '00:00');
  if (text === 'now') return nowMs;
  if (/^\d\d?:/.test(text)) {
    const today = inDay(dayBefore(nowMs, 0), text);
    return today !== null && today > nowMs ? inDay(dayBefore(nowMs, 1), text) : today;
  }
  return isoMs(typed.trim());
}

/** ISO 8601 with a zone, else local time; a day alone begins at midnight. */
function isoMs(text: string): number | null {
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i.exec(
    text,
  );
  if (parts === null) return null;
  const [, day = '', time = '00:00', zone = ''] = parts;
  const ms = Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  return Number.isNaN(ms) ? null : ms;
}

function dayBefore(nowMs: number, days: number): Date {
  const day = new Date(nowMs);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - days);
  return day;
}

/** `14:05` or `14:05:30` of a day. */
function inDay(day: Date, time: string): number | null {
  const parts = /^(\d\d?):(\d\d)(?::(\d\d))?$/.exec(time);
  if (parts === null) return null;
  const [hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const at = new Date(day);
  at.setHours(hours, minutes, seconds);
  return at.getTime();
}
