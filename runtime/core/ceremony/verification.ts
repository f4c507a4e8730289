/** Whether a ceremony record proves what it says: judged from its bytes and the keys of the officers, offline. */
import { Fault, isFault } from '../faults.ts';
import { instantMs } from '../instant.ts';
import { BORN_INSIDE, firstDifference } from '../key-attributes.ts';
import type { Kdf } from '../key-policy.ts';
import { hashOf, open, type TrustedKey } from '../messages/envelope.ts';
import type { Crypto } from '../ports.ts';
import { demandStepApprovals } from './approvals.ts';
import { componentsOf, kdfOf, keyOf, officersOf, type PlanStep, planHash } from './plan.ts';
import { checkPlan, isPair, rulesOf } from './plan-check.ts';
import {
  type CeremonyRecord,
  ENFORCED_BY_CODE_ALONE,
  ENFORCED_BY_TOKEN,
  recordStatement,
  SOFTWARE_TOKEN,
  type StepRecord,
} from './record.ts';

export interface VerifiedRecord {
  readonly record: CeremonyRecord;
  /** What was checked, in the order it was. */
  readonly checks: readonly string[];
}

/** @throws Fault CEREMONY_RECORD_INVALID naming the check and why */
export function verifyRecord(jws: string, trusted: readonly TrustedKey[], crypto: Crypto): VerifiedRecord {
  const { payload: record, signer } = judged('signature', () => open(recordStatement, jws, trusted, crypto));
  const done: string[] = ['signature'];
  const check = (name: string, objection: () => string | null): void => {
    const why = judged(name, objection);
    if (why !== null) throw new Fault('CEREMONY_RECORD_INVALID', { check: name, why });
    done.push(name);
  };
  const { plan } = record;
  check('conductor', () =>
    signer.name === record.conductor && officersOf(plan).includes(signer.name)
      ? null
      : 'signed by nobody who conducts this ceremony',
  );
  check('plan', () => {
    checkPlan(plan);
    return planHash(plan, crypto) === record.planHash ? null : 'the hash is of another plan';
  });
  check('token', () => tokenObjection(record));
  check('steps', () => orderObjection(record));
  check('approvals', () => approvalObjection(record, trusted, crypto));
  for (const [at, step] of plan.steps.entries())
    check(`step ${at + 1}: ${step.do} ${keyOf(step) ?? ''}`.trimEnd(), () => {
      const told = record.steps[at];
      return told === undefined ? 'is missing' : stepObjection(step, told, kdfOf(plan));
    });
  check('limits', () => limitObjection(record));
  return { record, checks: done };
}

/** What is told of the token, against what was approved; the same is demanded before a ceremony begins. */
export function tokenObjection({ plan, token }: Pick<CeremonyRecord, 'plan' | 'token'>): string | null {
  const { label, serial, class: kind } = plan.token;
  if (token.label !== label) return `the token is called ${token.label}, not ${label}`;
  if (serial !== null && token.serial !== serial) return `serial number ${token.serial}, not ${serial}`;
  if (token.softwareToken !== (kind === 'software')) return `not a ${kind} token`;
  return null;
}

/** What a step left in the token or in a file, against plan and key policy; null when it is what was planned. */
export function stepObjection(
  step: PlanStep,
  told: Pick<StepRecord, 'key' | 'file' | 'constants'>,
  kdf: Kdf,
): string | null {
  switch (step.do) {
    case 'constants':
      return constantsObjection(step, told);
    case 'release-tag':
      return tagObjection(step, told);
    default:
      return keyObjection(step, told, kdf);
  }
}

/** A key that was carried is in no file in clear, and went to those whom the officers named, and to no others. */
function tagObjection(
  { file: planned, recipients }: Extract<PlanStep, { readonly do: 'release-tag' }>,
  { key, file }: Pick<StepRecord, 'key' | 'file'>,
): string | null {
  if (file?.file !== planned || file.checkValue === null || key !== null) return 'tells of another file';
  const names = (list: readonly string[] | undefined): string => list?.join() ?? '';
  const sent = file.carriedTo?.map(({ recipient }) => recipient);
  if (names(sent) !== names(recipients?.map(({ name }) => name))) return 'was carried to others';
  return (file.sha256 === null) === (recipients === undefined) ? null : 'tells of a key in clear';
}

function keyObjection(
  step: Extract<PlanStep, { readonly key: string }>,
  { key, file }: Pick<StepRecord, 'key' | 'file'>,
  kdf: Kdf,
): string | null {
  if (key?.key !== step.key) return 'tells of another key';
  const rules = rulesOf(step, kdf);
  if (rules.map(({ kind }) => kind).join() !== key.objects.map(({ kind }) => kind).join())
    return 'tells of other objects';
  for (const [at, rule] of rules.entries()) {
    const attributes = key.objects[at]?.attributes ?? {};
    const difference = firstDifference(rule, step.key, attributes);
    if (difference !== null) return `CKA_${difference} of ${step.key} is not what the key policy demands`;
    if (rule.kind === 'public') continue;
    const inside = key.origin === 'inside';
    if (Object.keys(BORN_INSIDE).some((name) => attributes[name] !== inside))
      return `the origin of ${step.key} is not what the token tells`;
  }
  if (key.origin !== originOf(step)) return `${step.key} comes from ${key.origin}`;
  if ((key.publicKey === null) === isPair(step)) return 'public key';
  if (step.do === 'restore-pair' && key.publicKey !== step.publicKey) return `public key of ${step.key}`;
  if ('checkValue' in step && step.checkValue !== null && key.checkValue !== step.checkValue)
    return `check value of ${step.key}`;
  const backup = step.do === 'generate' || step.do === 'key-pair' ? step.backup : null;
  if ((file?.file ?? null) !== (backup?.file ?? null)) return 'tells of another backup';
  return null;
}

/** A key with a backup is one that came out of it: so it is known that the backup can be restored. */
function originOf(step: Extract<PlanStep, { readonly key: string }>): 'inside' | 'outside' {
  const isMade = step.do === 'generate' || step.do === 'key-pair';
  return isMade && componentsOf(step).length === 0 ? 'inside' : 'outside';
}

function constantsObjection(
  step: Extract<PlanStep, { readonly do: 'constants' }>,
  { file, constants }: Pick<StepRecord, 'file' | 'constants'>,
): string | null {
  if (file?.file !== step.file || file.sha256 === null) return 'tells of another file';
  for (const [master, versions] of Object.entries(step.keyVersions))
    for (const version of versions)
      if (!constants?.some((entry) => entry.master === master && entry.keyVersion === version))
        return `lacks ${master}, key version ${version}`;
  return null;
}

function orderObjection({ plan, steps, startedAt, endedAt }: CeremonyRecord): string | null {
  if (steps.length !== plan.steps.length) return `${steps.length} steps of ${plan.steps.length}`;
  let beforeMs = instantMs(startedAt);
  for (const [at, told] of steps.entries()) {
    if (told.step !== at + 1) return `step ${told.step} stands at ${at + 1}`;
    if (instantMs(told.startedAt) < beforeMs || instantMs(told.endedAt) < instantMs(told.startedAt))
      return `step ${told.step} begins before the one before it ends`;
    beforeMs = instantMs(told.endedAt);
  }
  return instantMs(endedAt) < beforeMs ? 'ends before its last step' : null;
}

/** Each step is judged by the approvals it names, as of when it began. */
function approvalObjection(
  { plan, approvals, steps }: CeremonyRecord,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): string | null {
  const byHash = new Map(approvals.map((jws) => [hashOf(jws, crypto), jws]));
  const used = new Set<string>();
  for (const { step, startedAt, approvals: told } of steps) {
    const given = told.flatMap(({ approval }) => byHash.get(approval) ?? []);
    for (const { approval } of told) used.add(approval);
    const nowMs = instantMs(startedAt);
    const good = demandStepApprovals(plan, given, { step, nowMs }, trusted, crypto);
    if (told.map(named).join() !== good.map(named).join()) return `step ${step} names other approvals`;
  }
  return used.size === approvals.length && byHash.size === used.size ? null : 'holds approvals of no step';
}

function named({ officer, approval }: { readonly officer: string; readonly approval: string }): string {
  return `${officer} ${approval}`;
}

function limitObjection({ token, enforcedByToken, enforcedByCodeAlone }: CeremonyRecord): string | null {
  const code = limitsOf(token.softwareToken);
  const same = (a: readonly string[], b: readonly string[]): boolean => a.join('\n') === b.join('\n');
  return same(enforcedByToken, ENFORCED_BY_TOKEN) && same(enforcedByCodeAlone, code)
    ? null
    : 'does not say what the token enforces and what it does not';
}

/** What only our code enforces, for a token of this class. */
export function limitsOf(softwareToken: boolean): readonly string[] {
  return softwareToken ? [...ENFORCED_BY_CODE_ALONE, SOFTWARE_TOKEN] : ENFORCED_BY_CODE_ALONE;
}

function judged<T>(check: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isFault(error)) throw error;
    const why = typeof error.context.why === 'string' ? error.context.why : error.definition.title;
    throw new Fault('CEREMONY_RECORD_INVALID', { check, why, code: error.code }, { cause: error });
  }
}
