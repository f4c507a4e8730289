/** What the commands of ceremonies are given: plans, keys of officers, tokens, records. */
import type { z } from 'zod';
import {
  ceremonyTokenFile,
  type OfficerTokenFile,
  officersFile,
  officerTokenFile,
} from '../../../config/ceremony.ts';
import { fromHex } from '../../core/bytes.ts';
import { type CeremonyPlan, planForm } from '../../core/ceremony/plan.ts';
import { checkPlan } from '../../core/ceremony/plan-check.ts';
import { Fault } from '../../core/faults.ts';
import type { TrustedKey } from '../../core/messages/envelope.ts';
import type { Signer } from '../../core/ports.ts';
import { type Arguments, type Option, textOf, usage } from '../command.ts';
import type { Means } from '../means.ts';
import type { CeremonyTokenPlace } from './means.ts';

export const trustedOption = {
  trusted: {
    type: 'string',
    value: 'FILE',
    help: 'JSON with the keys of the officers as trusted, for instance backend.json',
  },
} as const satisfies Readonly<Record<string, Option>>;

export const officerOptions = {
  officer: { type: 'string', value: 'NAME', help: 'the officer who signs' },
  key: { type: 'string', value: 'FILE', help: 'the officer’s P-256 key, PEM, mode 0600 (laboratory)' },
  'officer-token': {
    type: 'string',
    value: 'FILE',
    help: 'JSON that says where the officer’s own token is: module, label, pinFile, key',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID, CEREMONY_PLAN_REFUSED */
export function planIn(given: Arguments, means: Means): CeremonyPlan {
  const plan = formIn(operandOf(given, 'a plan: FILE'), planForm, means);
  checkPlan(plan);
  return plan;
}

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID */
export function trustedIn(given: Arguments, means: Means): readonly TrustedKey[] {
  const { trusted } = formIn(needed(given, 'trusted', 'whose approvals count'), officersFile, means);
  return trusted.map(({ name, role, publicKey }) => ({ name, role, publicKey: fromHex(publicKey) }));
}

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID */
export function tokenIn(given: Arguments, plan: CeremonyPlan, means: Means): CeremonyTokenPlace {
  const place = formIn(needed(given, 'token', 'where the token is'), ceremonyTokenFile, means);
  const { label, role } = plan.token;
  return { ...place, label, role, laboratory: plan.profile !== 'production' };
}

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID, TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG */
export function openOfficer(given: Arguments, means: Means): Promise<Signer & AsyncDisposable> {
  const [key, token] = [textOf(given, 'key'), textOf(given, 'officer-token')];
  if (key !== null && token === null) return means.ceremony.openSigner({ file: key });
  if (key === null && token !== null)
    return means.ceremony.openSigner({ token: officerTokenIn(token, means) });
  throw usage('say which key the officer signs with: --key FILE or --officer-token FILE');
}

/** @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
export function officerTokenIn(path: string, means: Means): OfficerTokenFile {
  return formIn(path, officerTokenFile, means);
}

/** A JWS in a file, by the file's name. @throws Fault FILE_UNREADABLE */
export function jwsIn(path: string, { files }: Means): string {
  return files.read(path).trim();
}

export function operandOf(given: Arguments, what: string): string {
  const [operand] = given.operands;
  if (operand === undefined) throw usage(`say which: ${what}`);
  return operand;
}

/** @throws Fault USAGE */
export function needed(given: Arguments, option: string, why: string): string {
  const value = textOf(given, option);
  if (value === null) throw usage(`--${option} is missing: ${why}`);
  return value;
}

/** @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
function formIn<Form extends z.ZodType>(path: string, form: Form, { files }: Means): z.output<Form> {
  const found = form.safeParse(jsonIn(path, files.read(path)));
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw new Fault('CONFIG_INVALID', {
    file: path,
    where: issue?.path.join('.') ?? '',
    why: issue?.message ?? 'form',
  });
}

function jsonIn(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault('CONFIG_INVALID', { file: path, why: 'not JSON' }, { cause: error });
  }
}
