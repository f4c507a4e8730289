/** Whether a plan can be carried out under the key policy: refused before the room opens, not in the middle. */
import { Fault } from '../faults.ts';
import { type Kdf, type KeyRule, ruleFor } from '../key-policy.ts';
import { type CeremonyPlan, componentsOf, kdfOf, keyOf, officersOf, type PlanStep } from './plan.ts';

/** The rules for what a step makes in the token: one of a secret key, two of a pair, none of a file.
 * @throws Fault CEREMONY_PLAN_REFUSED for a key that no rule is for */
export function rulesOf(step: PlanStep, kdf: Kdf): readonly KeyRule[] {
  const key = keyOf(step);
  if (key === null) return [];
  const kinds = isPair(step) ? (['private', 'public'] as const) : (['secret'] as const);
  return kinds.map((kind) => {
    const rule = ruleFor(kind, key, kdf);
    if (rule === undefined) throw refused(`the key policy knows no such ${kind} key`, { key });
    return rule;
  });
}

/** Whether a step makes a key pair. */
export function isPair(step: PlanStep): boolean {
  return step.do === 'key-pair' || step.do === 'restore-pair';
}

/** @throws Fault CEREMONY_PLAN_REFUSED naming the step, counted from 1 */
export function checkPlan(plan: CeremonyPlan): void {
  const { token, profile, steps } = plan;
  if (profile === 'production' && token.class === 'software')
    throw refused('production has no software tokens');
  if (profile === 'production' && token.serial === null)
    throw refused('production names the serial number of its token');
  if (token.kdf === 'sp800-108' && token.role !== 'gateway')
    throw refused('only a gateway’s token has masters');
  const made = new Set<string>();
  for (const [at, step] of steps.entries()) {
    const why = objection(plan, step);
    if (why !== null) throw refused(why, { step: at + 1 });
    const name = keyOf(step) ?? ('file' in step ? step.file : '');
    if (made.size === made.add(name).size) throw refused('is made twice', { step: at + 1, name });
    const both = componentsOf(step).find(({ custodian }) => officersOf(plan).includes(custodian));
    if (both !== undefined)
      throw refused('an officer is custodian too', { step: at + 1, name: both.custodian });
  }
}

function objection({ token }: CeremonyPlan, step: PlanStep): string | null {
  const rules = rulesOf(step, kdfOf({ token }));
  if (rules.some((rule) => !rule.tokens.includes(token.role)))
    return `${keyOf(step)} does not belong in a token of the ${token.role}`;
  const [type] = rules.map((rule) => rule.type);
  const [leaves] = rules.map((rule) => rule.leaves);
  switch (step.do) {
    case 'generate':
      if (type === 'des-3') return 'a triple DES master comes from its vendor';
      return step.backup !== null && type !== 'aes-256' ? 'only AES-256 keys are backed up' : null;
    case 'join':
      return type === 'des-3' ? 'a triple DES master is imported, not joined' : null;
    case 'import':
      return step.under.method === 'rsa-oaep' && ruleFor('private', step.under.key)?.type !== 'rsa-3072'
        ? `${step.under.key} unwraps nothing`
        : null;
    case 'constants':
      return constantsObjection(Object.keys(step.keyVersions), token.role);
    case 'release-tag':
      return token.role === 'gateway' ? null : 'release tags are drawn by the token of a gateway';
    case 'key-pair':
      if (leaves === 'once') return step.backup === undefined ? `${step.key} is made with a backup` : null;
      return step.backup === undefined ? null : `${step.key} never leaves its token: name it …-restorable`;
    case 'restore-pair':
      return leaves === 'once' ? null : `${step.key} has no backup`;
    case 'restore':
      return null;
  }
}

function constantsObjection(masters: readonly string[], role: CeremonyPlan['token']['role']): string | null {
  if (role !== 'gateway') return 'constants are of the token of a gateway';
  for (const master of masters) {
    const rule = ruleFor('secret', master);
    if (rule?.uses.join() !== 'DERIVE') return `${master} is no master`;
  }
  return null;
}

function refused(why: string, context: Readonly<Record<string, string | number>> = {}): Fault {
  return new Fault('CEREMONY_PLAN_REFUSED', { why, ...context });
}
