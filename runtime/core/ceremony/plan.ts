/**
 * The plan of a ceremony: one declarative file that officers read and approve before the room opens, and that is
 * then carried out step by step. Its hash covers everything that is done, on which token, and who must agree.
 */
import { z } from 'zod';
import { fromText, toHex } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { type Kdf, kdfs, tokenRoles } from '../key-policy.ts';
import { quorumForm } from '../messages/approval.ts';
import { keyVersion, partyName } from '../messages/fields.ts';
import type { Crypto } from '../ports.ts';

/** Officers read it at a terminal: no control characters, which could show them another plan. */
const printable = z.string().regex(/^\P{C}+$/u, 'control characters');
/** So many key pairs and their approvals fit in one signed record. */
const STEPS_MAX = 48;

const keyName = z
  .string()
  .regex(/^[a-z0-9.-]{1,48}$/)
  .meta({ description: 'Label of the key, as the key policy knows it.' });
const fileName = printable
  .max(200)
  .meta({ description: 'A file, from the directory of the record on unless it begins with a slash.' });
const checkValue = z
  .string()
  .regex(/^[0-9a-f]{6}$/)
  .meta({ description: 'Check value: first 3 bytes of a block of zeros under the key.' });

const components = z
  .array(z.strictObject({ custodian: partyName, checkValue }))
  .min(2)
  .max(9)
  .refine((list) => new Set(list.map(({ custodian }) => custodian)).size === list.length, {
    error: 'one custodian holds two components',
  })
  .refine((list) => new Set(list.map((component) => component.checkValue)).size === list.length, {
    error: 'two components are the same: they cancel each other out',
  })
  .meta({ description: 'Parts of a key whose exclusive or it is; each custodian holds one.' });

/** A gate controller, as the backend knows it. */
export const controllerName = z.string().regex(/^[a-z0-9-]{1,16}$/);

export const recipient = z.strictObject({
  name: partyName,
  publicKey: z
    .string()
    .regex(/^04[0-9a-f]{128}$/)
    .meta({ description: 'P-256 point, 65 bytes, hexadecimal.' }),
});

const own = {
  quorum: quorumForm
    .nullable()
    .default(null)
    .meta({ description: 'Officers that must agree to this step besides those of the plan.' }),
};

export const planStep = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('generate'),
    key: keyName,
    backup: z
      .strictObject({ file: fileName, components })
      .nullable()
      .default(null)
      .meta({ description: 'Wrapped under a key that the components make; null: there is no other copy.' }),
    ...own,
  }),
  z.strictObject({
    do: z.literal('join'),
    key: keyName,
    components,
    checkValue: checkValue.nullable().default(null),
    ...own,
  }),
  z.strictObject({
    do: z.literal('key-pair'),
    key: keyName,
    // Without a default: the hashes of plans that officers approved before stay what they are.
    backup: z
      .strictObject({ file: fileName, components })
      .optional()
      .meta({ description: 'For `…-restorable` keys: wrapped under a key that the components make.' }),
    ...own,
  }),
  z.strictObject({
    do: z.literal('restore-pair'),
    key: keyName,
    file: fileName,
    components,
    publicKey: z
      .base64()
      .max(256)
      .meta({ description: 'SubjectPublicKeyInfo, DER, as the record of the backup says.' }),
    ...own,
  }),
  z.strictObject({
    do: z.literal('import'),
    key: keyName,
    file: fileName,
    under: z.union([
      z.strictObject({ method: z.literal('aes-kwp'), components }),
      z.strictObject({ method: z.literal('rsa-oaep'), key: keyName }),
    ]),
    checkValue,
    ...own,
  }),
  z.strictObject({ do: z.literal('restore'), key: keyName, file: fileName, components, checkValue, ...own }),
  z.strictObject({
    do: z.literal('constants'),
    file: fileName,
    keyVersions: z.record(keyName, z.array(keyVersion).min(1)),
    ...own,
  }),
  z.strictObject({
    do: z.literal('release-tag'),
    controller: controllerName,
    file: fileName,
    // Without a default: the hashes of plans that officers approved before stay what they are.
    recipients: z
      .array(recipient)
      .min(1)
      .max(4)
      .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
        error: 'a recipient is named twice',
      })
      .optional()
      .meta({ description: 'Who gets the key, encrypted; left out: the file holds it in clear.' }),
    ...own,
  }),
]);
export type PlanStep = z.output<typeof planStep>;
export type StepKind = PlanStep['do'];
export type Component = z.output<typeof components>[number];

export const planForm = z.strictObject({
  contract: z.literal('holdfast/ceremony-plan-1'),
  id: z.uuid().meta({ description: 'Drawn for this ceremony: an approval of another one never fits it.' }),
  title: printable.max(120),
  profile: z.enum(['production', 'pilot', 'laboratory']),
  token: z.strictObject({
    role: z
      .enum(tokenRoles)
      .meta({ description: 'What the token is for: the key policy says what it may hold.' }),
    label: printable.max(32),
    serial: printable
      .max(16)
      .nullable()
      .meta({ description: 'Serial number of the token; null in a laboratory, where tokens come and go.' }),
    class: z.enum(['hardware', 'software']),
    kdf: z.enum(kdfs).optional().meta({
      description:
        'How its masters derive, as `token.kdf` of the gateway says; `cbc-data` where it is left out.',
    }),
  }),
  quorum: quorumForm.refine(({ required }) => required >= 2, {
    error: 'a ceremony needs at least two officers',
    path: ['required'],
  }),
  steps: z.array(planStep).min(1).max(STEPS_MAX),
});
export type CeremonyPlan = z.output<typeof planForm>;

/** What officers approve: SHA-256 over the canonical form of the plan with its defaults, hexadecimal. */
export function planHash(plan: CeremonyPlan, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(canonicalJson(plan))));
}

/** Which masters the token of a plan has. */
export function kdfOf({ token }: Pick<CeremonyPlan, 'token'>): Kdf {
  return token.kdf ?? 'cbc-data';
}

/** The key in the token that a step makes; null for one that makes a file. */
export function keyOf(step: PlanStep): string | null {
  return 'key' in step ? step.key : null;
}

/** Components that a step asks custodians for. */
export function componentsOf(step: PlanStep): readonly Component[] {
  switch (step.do) {
    case 'generate':
    case 'key-pair':
      return step.backup?.components ?? [];
    case 'join':
    case 'restore':
    case 'restore-pair':
      return step.components;
    case 'import':
      return step.under.method === 'aes-kwp' ? step.under.components : [];
    case 'constants':
    case 'release-tag':
      return [];
  }
}

/** Everybody who may have a say in some step. */
export function officersOf(plan: CeremonyPlan): readonly string[] {
  const quorums = [plan.quorum, ...plan.steps.flatMap(({ quorum }) => (quorum === null ? [] : [quorum]))];
  return [...new Set(quorums.flatMap(({ officers }) => officers))];
}
