/** A plan in plain words: what will be done, step by step, with the attributes that each key gets. */
import { createdAttributes } from '../key-attributes.ts';
import type { Kdf } from '../key-policy.ts';
import type { Quorum } from '../messages/approval.ts';
import { type CeremonyPlan, type Component, keyOf, type PlanStep } from './plan.ts';
import { rulesOf } from './plan-check.ts';

export interface StepWords {
  readonly title: string;
  readonly details: readonly string[];
}

/** Who must agree, in one sentence. */
export function quorumWords({ required, officers }: Quorum): string {
  return `${required} of ${officers.length}: ${officers.join(', ')}`;
}

/** Head lines of a plan: name and value. */
export function planWords(plan: CeremonyPlan): readonly (readonly [string, string])[] {
  const { label, serial, class: kind, role } = plan.token;
  return [
    ['ceremony', plan.title],
    ['profile', plan.profile],
    ['token', `${label}, ${kind}, of the ${role}, serial number ${serial ?? 'not fixed'}`],
    ...(plan.token.kdf === undefined ? [] : ([['masters', `derive by ${plan.token.kdf}`]] as const)),
    ['officers', quorumWords(plan.quorum)],
  ];
}

/** @throws Fault CEREMONY_PLAN_REFUSED for a key that no rule is for */
export function stepWords(step: PlanStep, kdf: Kdf): StepWords {
  const quorum = step.quorum === null ? [] : [`besides: ${quorumWords(step.quorum)}`];
  const rules = rulesOf(step, kdf).map((rule) => {
    const { CLASS, LABEL, ID, ...attributes } = createdAttributes(rule, keyOf(step) ?? '');
    const told = Object.entries(attributes).map(([name, value]) => `${name}=${valueWords(value)}`);
    return [`${rule.kind} key, for ${rule.user}`, `  ${told.join(' ')}`];
  });
  const recipients = step.do === 'release-tag' ? (step.recipients ?? []) : [];
  const keys = recipients.map(({ name, publicKey }) => `to ${name}, whose key is ${publicKey}`);
  return { title: titleOf(step), details: [...rules.flat(), ...keys, ...quorum] };
}

function titleOf(step: PlanStep): string {
  switch (step.do) {
    case 'generate':
      return step.backup === null
        ? `Generate ${step.key} inside the token. It never leaves it: there is no backup.`
        : `Generate ${step.key}, wrap it under the key that ${custodians(step.backup.components)} join, write that to ` +
            `${step.backup.file}, and restore the token's key from it.`;
    case 'join':
      return `Join ${step.key} from the components of ${custodians(step.components)}${expected(step.checkValue)}.`;
    case 'key-pair':
      return step.backup === undefined
        ? `Generate the key pair ${step.key} inside the token. Its private key never leaves it.`
        : `Generate the key pair ${step.key}, wrap it under the key that ${custodians(step.backup.components)} join, write that ` +
            `to ${step.backup.file}, and restore the token's pair from it.`;
    case 'restore-pair':
      return (
        `Restore the key pair ${step.key} from the backup ${step.file}, ` +
        `under the key that ${custodians(step.components)} join; its public key is ${step.publicKey}.`
      );
    case 'import':
      return `Import ${step.key} from ${step.file}${expected(step.checkValue)}, wrapped under ${
        step.under.method === 'aes-kwp'
          ? `the key that ${custodians(step.under.components)} join (AES-KWP)`
          : `${step.under.key} (RSA-OAEP)`
      }.`;
    case 'restore':
      return (
        `Restore ${step.key} from the backup ${step.file}${expected(step.checkValue)}, ` +
        `under the key that ${custodians(step.components)} join.`
      );
    case 'constants':
      return `Compute the constants of ${Object.entries(step.keyVersions)
        .map(([master, versions]) => `${master} (key versions ${versions.join(', ')})`)
        .join(' and ')}, and seal them in ${step.file}.`;
    case 'release-tag':
      return step.recipients === undefined
        ? `Draw the release tag key of gate controller ${step.controller} into ${step.file}, in clear, mode 0600.`
        : `Draw the release tag key of gate controller ${step.controller}, encrypt it to ` +
            `${step.recipients.map(({ name }) => name).join(' and ')}, and write that to ${step.file}.`;
  }
}

function custodians(components: readonly Component[]): string {
  return components.map(({ custodian, checkValue }) => `${custodian} (${checkValue})`).join(' and ');
}

function expected(checkValue: string | null): string {
  return checkValue === null ? '' : `, check value ${checkValue}`;
}

function valueWords(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.join('+') : String(value);
}
