/** What the commands of certificates are given: plans, approvals, dates, files. */
import type { z } from 'zod';
import { fromText } from '../../core/bytes.ts';
import { canonicalJson, type Json } from '../../core/canonical-json.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { FAR_DATE_MS } from '../../core/pki/time.ts';
import { type Arguments, listOf, type Option, textOf, usage } from '../command.ts';
import type { Files, Means } from '../means.ts';

export const executeOptions = {
  execute: { type: 'string', value: 'PLAN', help: 'does what this plan says, and nothing else' },
  approval: { type: 'string', value: 'FILE', multiple: true, help: 'approval of an officer; once for each' },
  out: { type: 'string', value: 'FILE', help: 'where the result is written' },
} as const satisfies Readonly<Record<string, Option>>;

/** @throws Fault USAGE */
export function needed(given: Arguments, option: string, why: string): string {
  const value = textOf(given, option);
  if (value === null) throw usage(`--${option} is missing: ${why}`);
  return value;
}

/** A day as `2027-01-31`, an instant, or `never`. Whole seconds. @throws Fault USAGE */
export function dateOf(text: string): number {
  if (text === 'never') return FAR_DATE_MS;
  const atMs = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || !Number.isFinite(atMs))
    throw usage(`${text} is no date: 2027-01-31, 2027-01-31T12:00:00Z, or never`);
  return Math.floor(atMs / 1000) * 1000;
}

export function secondOf(atMs: number): string {
  return instantOf(Math.floor(atMs / 1000) * 1000);
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

/** @throws Fault FILE_UNREADABLE */
export function approvalsOf(given: Arguments, { files }: Means): readonly string[] {
  return listOf(given, 'approval').map((path) => files.read(path).trim());
}

/** Written as it is hashed, so that the file is what officers approve. @throws Fault CRL_NOT_PUBLISHED */
export function writePlan(path: string, plan: object, { pki }: Means): Promise<void> {
  return pki.write(path, fromText(`${canonicalJson(plan as Json)}\n`));
}
