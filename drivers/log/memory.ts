import type { Log, LogEvent, LogLevel } from '../../runtime/core/ports.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly event: LogEvent;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps the last lines, for tests and simulation. */
export function createMemoryLog(limit = 10_000): Log & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  return {
    lines,
    write: (level, event, fields = {}) => {
      lines.push({ level, event, fields });
      if (lines.length > limit) lines.shift();
    },
  };
}
