/** How things are written for people: times, columns, emphasis. Never colour alone: the words say it too. */
import { styleText } from 'node:util';

export interface Paint {
  /** A heading. */
  strong(text: string): string;
  /** What is there for completeness. */
  faint(text: string): string;
  /** What a person must look at. */
  alarm(text: string): string;
}

export const plain: Paint = { strong: (text) => text, faint: (text) => text, alarm: (text) => text };

export const coloured: Paint = {
  strong: (text) => styleText('bold', text),
  faint: (text) => styleText('dim', text),
  alarm: (text) => styleText('yellow', text),
};

/** `2026-10-06 03:12:44.071`, in the time zone of this machine. */
export function localTime(ms: number): string {
  return `${localSecond(ms)}.${String(new Date(ms).getMilliseconds()).padStart(3, '0')}`;
}

/** `2026-10-06 03:12:44`, in the time zone of this machine. */
export function localSecond(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return (
    `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` +
    `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  );
}

/** `1 h 5 min ago`; the two largest units. */
export function ago(ms: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - ms) / 1000);
  if (seconds < 0) return 'in the future: check the clock';
  if (seconds < 1) return 'just now';
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0);
  return `${shown.map(([value, unit]) => `${value} ${unit}`).join(' ')} ago`;
}

/** Rows with their columns two spaces apart; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** `1 unit`, `2 units`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
