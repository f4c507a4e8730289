/** What several commands are given alike: options that must be there, and forms in files. */
import type { z } from 'zod';
import { Fault } from '../core/faults.ts';
import { type Arguments, textOf, usage } from './command.ts';
import type { Files } from './means.ts';

/** @throws Fault USAGE */
export function needed(given: Arguments, option: string, why: string): string {
  const value = textOf(given, option);
  if (value === null) throw usage(`--${option} is missing: ${why}`);
  return value;
}

/** @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
export function formIn<Form extends z.ZodType>(path: string, form: Form, files: Files): z.output<Form> {
  const found = form.safeParse(jsonIn(path, files));
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw new Fault('CONFIG_INVALID', {
    file: path,
    where: issue?.path.join('.') ?? '',
    why: issue?.message ?? 'form',
  });
}

/** @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
export function jsonIn(path: string, files: Files): unknown {
  try {
    return JSON.parse(files.read(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Fault('CONFIG_INVALID', { file: path, why: 'not JSON' }, { cause: error });
  }
}
