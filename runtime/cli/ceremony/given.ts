/** What the commands of ceremonies are given: plans, keys of officers, tokens, records. */
import { ceremonyTokenFile, officersFile } from '../../../config/ceremony.ts';
import { fromHex } from '../../core/bytes.ts';
import { type CeremonyPlan, kdfOf, planForm } from '../../core/ceremony/plan.ts';
import { checkPlan } from '../../core/ceremony/plan-check.ts';
import type { TrustedKey } from '../../core/messages/envelope.ts';
import { type Arguments, type Option, usage } from '../command.ts';
import { formIn, needed } from '../given.ts';
import type { Means } from '../means.ts';
import type { CeremonyTokenPlace } from './means.ts';

export const trustedOption = {
  trusted: {
    type: 'string',
    value: 'FILE',
    help: 'JSON with the keys of the officers as trusted, for instance backend.json',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID, CEREMONY_PLAN_REFUSED */
export function planIn(given: Arguments, means: Means): CeremonyPlan {
  const plan = formIn(operandOf(given, 'a plan: FILE'), planForm, means.files);
  checkPlan(plan);
  return plan;
}

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID */
export function trustedIn(given: Arguments, means: Means): readonly TrustedKey[] {
  const { trusted } = formIn(needed(given, 'trusted', 'whose approvals count'), officersFile, means.files);
  return trusted.map(({ name, role, publicKey }) => ({ name, role, publicKey: fromHex(publicKey) }));
}

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID */
export function tokenIn(given: Arguments, plan: CeremonyPlan, means: Means): CeremonyTokenPlace {
  const place = formIn(needed(given, 'token', 'where the token is'), ceremonyTokenFile, means.files);
  const { label, role } = plan.token;
  return { ...place, label, role, kdf: kdfOf(plan), laboratory: plan.profile !== 'production' };
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
