/** Where gateway and backend take instructions: as typed, or as their settings in a line say. */
import { z } from 'zod';
import { Fault } from '../../core/faults.ts';
import { type Arguments, textOf, usage } from '../command.ts';
import { DEFAULT_LINE } from '../fleet/place.ts';
import type { Means } from '../means.ts';
import { jsonIn } from './order-file.ts';

export const socketOptions = {
  socket: { type: 'string', value: 'PATH', help: 'where the program takes instructions' },
  dir: {
    type: 'string',
    value: 'LINE',
    help: `directory of a line, whose settings say where (default ${DEFAULT_LINE})`,
  },
} as const;

const settingsForm = z.object({ instructionSocket: z.string().min(1) });

/** @throws Fault USAGE, CONFIG_INVALID, FILE_UNREADABLE */
export function socketOf(program: 'gateway' | 'backend', given: Arguments, means: Means): string {
  const typed = textOf(given, 'socket');
  if (typed !== null) return typed;
  const line = textOf(given, 'dir') ?? DEFAULT_LINE;
  const file = [line, ...means.files.names(line).map((name) => `${line}/${name}`)]
    .map((directory) => `${directory}/${program}.json`)
    .find((path) => means.files.exists(path));
  if (file === undefined)
    throw usage(`there is no ${program}.json in ${line}; say where with --socket or --dir`);
  const settings = settingsForm.safeParse(jsonIn(file, means));
  if (settings.success) return settings.data.instructionSocket;
  throw new Fault('CONFIG_INVALID', { file, why: 'instructionSocket is missing' });
}
