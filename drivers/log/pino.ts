/** The log as pino JSON on standard output; what looks like a secret is cut out wherever it stands. */
import { pino } from 'pino';
import { faults, isFaultCode } from '../../runtime/core/faults.ts';
import type { Log, LogLevel } from '../../runtime/core/ports.ts';

/** Field names that never carry their value into a log. */
export const REDACTED = [
  'pin',
  'key',
  'keys',
  'privateKey',
  'secret',
  'password',
  'command',
  'answer',
  'data',
  'wire',
] as const;

export function openLog(program: string, level: LogLevel): Log {
  const logger = pino({
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
  });
  return { write: (at, event, fields) => logger[at]({ event, ...wordsFor(fields?.code), ...fields }) };
}

/** A line that names a fault by its code also says it in words: it is read where no catalogue is at hand. */
function wordsFor(code: unknown): object {
  if (typeof code !== 'string' || !isFaultCode(code)) return {};
  const { title, cause, remedy } = faults[code];
  return { title, cause, remedy };
}
