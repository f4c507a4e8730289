/** What the commands of certificates are given: plans, approvals, dates, files. */
import { fromText } from '../../core/bytes.ts';
import { canonicalJson, type Json } from '../../core/canonical-json.ts';
import { instantOf } from '../../core/instant.ts';
import { FAR_DATE_MS } from '../../core/pki/time.ts';
import { type Arguments, listOf, type Option, textOf, usage } from '../command.ts';
import type { Means } from '../means.ts';

export const executeOptions = {
  execute: { type: 'string', value: 'PLAN', help: 'does what this plan says, and nothing else' },
  approval: { type: 'string', value: 'FILE', multiple: true, help: 'approval of an officer; once for each' },
  out: { type: 'string', value: 'FILE', help: 'where the result is written' },
} as const satisfies Readonly<Record<string, Option>>;

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

/** @throws Fault FILE_UNREADABLE */
export function approvalsOf(given: Arguments, { files }: Means): readonly string[] {
  return listOf(given, 'approval').map((path) => files.read(path).trim());
}

/** Written as it is hashed, so that the file is what officers approve. @throws Fault CRL_NOT_PUBLISHED */
export function writePlan(path: string, plan: object, { write }: Means): Promise<void> {
  return write(path, fromText(`${canonicalJson(plan as Json)}\n`));
}

/** @throws Fault USAGE */
export function oneOf<Name extends string>(
  given: Arguments,
  option: string,
  names: readonly Name[],
  usual: Name,
): Name {
  const typed = textOf(given, option) ?? usual;
  const found = names.find((name) => name === typed);
  if (found === undefined) throw usage(`--${option} takes one of ${names.join(', ')}`);
  return found;
}
