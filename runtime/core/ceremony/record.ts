/**
 * The record of a ceremony: what each step did, the attributes as the token told them, who approved, and what the
 * token enforces and what only our code does. One officer conducts the ceremony and signs it; others who
 * were there countersign it (`witness.ts`).
 */
import { z } from 'zod';
import { statement } from '../messages/envelope.ts';
import { hash, hex, instant, jws, keyVersion, partyName } from '../messages/fields.ts';
import { planForm } from './plan.ts';

const attribute = z.union([
  z.boolean(),
  z.number(),
  z.string().max(200),
  z.array(z.string().max(64)).max(32),
]);
const checkValue = hex.length(6);

const keyMade = z.strictObject({
  key: z.string().max(48),
  /** Of a secret key one, of a pair two. */
  objects: z
    .array(
      z.strictObject({
        kind: z.enum(['secret', 'private', 'public']),
        attributes: z
          .record(z.string().max(40), attribute)
          .meta({ description: 'By their PKCS#11 names without CKA_, as the token told them.' }),
      }),
    )
    .min(1)
    .max(2),
  origin: z.enum(['inside', 'outside']).meta({
    description: 'Whether the token made the key and never let it out; a key with a backup was wrapped once.',
  }),
  checkValue: checkValue.nullable(),
  publicKey: z.base64().max(1024).nullable().meta({ description: 'SubjectPublicKeyInfo, DER.' }),
});

const fileMade = z.strictObject({
  file: z.string().max(200),
  sha256: hash.nullable().meta({ description: 'Null for a file that holds a key.' }),
  checkValue: checkValue.nullable(),
  carriedTo: z
    .array(z.strictObject({ recipient: partyName, sha256: hash }))
    .optional()
    .meta({
      description: 'Of a key that was encrypted as it was drawn: to whom, and the hash of what was sent.',
    }),
});

const constantsMade = z.array(
  z.strictObject({
    master: z.string().max(48),
    keyVersion,
    checkValues: z.array(checkValue).length(3).meta({ description: 'Of the keys of the test EID.' }),
  }),
);

export const stepRecord = z.strictObject({
  step: z.int().min(1),
  did: z.enum(['done', 'found']).meta({
    description:
      '`found`: it stood before this ceremony, with exactly these attributes, and was not done again.',
  }),
  startedAt: instant,
  endedAt: instant,
  key: keyMade.nullable(),
  file: fileMade.nullable(),
  constants: constantsMade.nullable(),
  approvals: z
    .array(z.strictObject({ officer: partyName, approval: hash }))
    .meta({ description: 'Who had approved when the step began, and the hash of each approval.' }),
});
export type StepRecord = z.output<typeof stepRecord>;

export const recordForm = z.strictObject({
  contract: z.literal('holdfast/ceremony-record-1'),
  plan: planForm,
  planHash: hash,
  conductor: partyName,
  startedAt: instant,
  endedAt: instant,
  token: z.strictObject({
    module: z.string().max(128),
    label: z.string().max(64),
    serial: z.string().max(64),
    softwareToken: z.boolean(),
  }),
  approvals: z.array(jws).max(64),
  steps: z.array(stepRecord).max(256),
  enforcedByToken: z.array(z.string().max(300)),
  enforcedByCodeAlone: z.array(z.string().max(300)),
});
export type CeremonyRecord = z.output<typeof recordForm>;

export const recordStatement = statement({
  typ: 'holdfast/ceremony-record+v1',
  signedBy: 'officer',
  payload: recordForm,
});

/** What holds even against whoever has the PIN. */
export const ENFORCED_BY_TOKEN = [
  'No key of this record leaves the token: SENSITIVE, not EXTRACTABLE, not COPYABLE.',
  'Each key does its listed mechanisms and uses and no others, and nobody can widen them: not MODIFIABLE.',
  'No program destroys a key: not DESTROYABLE. Initialising the token anew still erases all of them.',
  'Keys of origin inside were made by the token and never were outside it: LOCAL, ALWAYS_SENSITIVE, NEVER_EXTRACTABLE.',
] as const;

/** What holds only as long as this program, and whoever has the PIN, behave. */
export const ENFORCED_BY_CODE_ALONE = [
  'The quorum of officers: the token obeys whoever has the PIN. It is judged by the program, and by every verifier of this record.',
  'That keys derived from a master stay inside: PKCS#11 lets the holder of the PIN derive readable ones.',
  'That components were entered by different custodians: the program knows names and check values, not people.',
  'That components, and a key joined of them, are wiped: for a moment they were in the memory of the program.',
  'That this record tells what the token told: one officer signs it, and others countersign what they saw.',
  'That nothing else was done to the token before or after: only the audit at every start tells.',
] as const;

/** What the record of a software token says besides. */
export const SOFTWARE_TOKEN =
  'The token computes in the memory of this machine: whoever owns the machine owns the keys, whatever the attributes say.';
