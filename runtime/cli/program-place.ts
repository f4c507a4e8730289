/** Where station, gateway and backend take instructions, as typed or as their settings in a line say. */
import { Fault } from '../core/faults.ts';
import { type Arguments, type Option, textOf, usage } from './command.ts';
import { DEFAULT_LINE } from './fleet/place.ts';
import { jsonIn } from './given.ts';
import type { Means } from './means.ts';

export const lineOptions = {
  dir: {
    type: 'string',
    value: 'LINE',
    help: `directory of a line, with the settings of its programs (default ${DEFAULT_LINE})`,
  },
} as const satisfies Readonly<Record<string, Option>>;

/** For commands that may be used far from the settings. */
export const socketOptions = {
  socket: { type: 'string', value: 'PATH', help: 'where the program takes instructions' },
  ...lineOptions,
} as const satisfies Readonly<Record<string, Option>>;

export type ProgramName = 'backend' | 'gateway' | 'station';

/** @throws Fault USAGE, CONFIG_INVALID, FILE_UNREADABLE */
export function socketOf(program: ProgramName, given: Arguments, means: Means): string {
  const typed = textOf(given, 'socket');
  if (typed !== null) return typed;
  const { instructionSocket } = settingsOf(program, given, means);
  if (typeof instructionSocket !== 'string')
    throw new Fault('CONFIG_INVALID', { file: `${program}.json`, why: 'instructionSocket is missing' });
  return instructionSocket;
}

/** The settings as they stand in the file, unchecked. @throws Fault USAGE, CONFIG_INVALID, FILE_UNREADABLE */
export function settingsOf(
  program: ProgramName,
  given: Arguments,
  { files }: Means,
): Readonly<Record<string, unknown>> {
  const line = textOf(given, 'dir') ?? DEFAULT_LINE;
  const [file, ...others] = [line, ...files.names(line).map((name) => `${line}/${name}`)]
    .map((directory) => `${directory}/${program}.json`)
    .filter((path) => files.exists(path));
  if (file === undefined)
    throw usage(`there is no ${program}.json in ${line}; say where with --socket or --dir`);
  if (program === 'station' && others.length > 0)
    throw usage(`there are several stations in ${line}; say which with --socket or --dir`);
  const value = jsonIn(file, files);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
