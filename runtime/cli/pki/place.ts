/** Where backend and gateway of a line take instructions, and what their settings say. */
import { trustedKeys } from '../../../config/parts.ts';
import { fromHex } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import type { TrustedKey } from '../../core/messages/envelope.ts';
import { type Arguments, type Option, textOf, usage } from '../command.ts';
import { DEFAULT_LINE } from '../fleet/place.ts';
import { jsonIn } from '../given.ts';
import type { Files, Means } from '../means.ts';

export const lineOptions = {
  dir: {
    type: 'string',
    value: 'LINE',
    help: `directory of a line, with backend.json and gateway.json (default ${DEFAULT_LINE})`,
  },
} as const satisfies Readonly<Record<string, Option>>;

/** @throws Fault USAGE, CONFIG_INVALID, FILE_UNREADABLE */
export function socketOf(program: 'backend' | 'gateway', given: Arguments, means: Means): string {
  const { instructionSocket } = settingsOf(program, given, means);
  if (typeof instructionSocket !== 'string')
    throw new Fault('CONFIG_INVALID', { file: `${program}.json`, why: 'instructionSocket is missing' });
  return instructionSocket;
}

/** The settings as they stand in the file, unchecked. @throws Fault USAGE, CONFIG_INVALID, FILE_UNREADABLE */
export function settingsOf(
  program: 'backend' | 'gateway',
  given: Arguments,
  { files }: Means,
): Readonly<Record<string, unknown>> {
  const line = textOf(given, 'dir') ?? DEFAULT_LINE;
  const [file] = [line, ...files.names(line).map((name) => `${line}/${name}`)]
    .map((directory) => `${directory}/${program}.json`)
    .filter((path) => files.exists(path));
  if (file === undefined) throw usage(`there is no ${program}.json in ${line}; say where with --dir`);
  const value = jsonIn(file, files);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Keys that settings of a program, or a file like them, say are trusted. @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
export function trustedIn(path: string, files: Files): readonly TrustedKey[] {
  const value = jsonIn(path, files);
  const listed = typeof value === 'object' && value !== null && 'trusted' in value ? value.trusted : null;
  const keys = trustedKeys.safeParse(listed);
  if (!keys.success)
    throw new Fault('CONFIG_INVALID', { file: path, why: 'trusted is missing or malformed' });
  return keys.data.map(({ name, role, publicKey }) => ({ name, role, publicKey: fromHex(publicKey) }));
}
