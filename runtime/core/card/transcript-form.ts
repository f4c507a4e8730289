/**
 * The kept form of a dialogue: every APDU as it crossed the wire, without key material, and beside it what the
 * gateway judged of it in clear, since answers travel encrypted.
 *
 * A command is hexadecimal text. Of PUT KEY the data stand as `{sha256:…}` between header and C-MAC: what a kept
 * transcript does not hold cannot be opened by whoever learns the transport keys later.
 */
import { z } from 'zod';
import { eid, epoch, generation, hash, hex, jws, keyVersion, operationId } from '../messages/fields.ts';
import { transportSchemes } from './import-schemes.ts';
import { keyAlgorithms } from './key-algorithm.ts';

/** APDU lists of one dialogue: more means that the gateway goes in circles. */
export const LISTS_MAX = 64;
/** Longest kept form of all lists of a dialogue; one of a good unit has about 30 000 characters. */
export const TRANSCRIPT_CHARACTERS_MAX = 1_048_576;

const algorithm = z.enum(keyAlgorithms);
const command = z
  .string()
  .max(700)
  .regex(/^(?:[0-9a-f]{2})*$|^[0-9a-f]{10}\{sha256:[0-9a-f]{64}\}(?:[0-9a-f]{2})*$/)
  .meta({ description: 'As sent; the data of PUT KEY as their SHA-256.' });

const keptAction = z.union([
  z.strictObject({
    kind: z.literal('cold-reset'),
    answer: hex.nullable().meta({ description: 'ATR; null where it was not played.' }),
  }),
  z.strictObject({
    kind: z.literal('command'),
    command,
    deadlineMs: z.int().positive(),
    wire: z
      .array(z.strictObject({ command: command.nullable(), answer: hex }))
      .max(320)
      .meta({ description: 'Frames; a command of null is the one that the list names.' }),
  }),
]);
export type KeptAction = z.output<typeof keptAction>;

export const keptList = z.strictObject({
  name: z.string().max(40),
  changes: z.boolean(),
  hash: hash.meta({ description: 'Of the list as it was issued, as the station journals it.' }),
  actions: z.array(keptAction).min(1).max(64),
});
export type KeptList = z.output<typeof keptList>;

/** What the gateway judges of a chip, in order. Each is passed, or was by an earlier dialogue, or the verdict. */
// biome-ignore format: this is a table
export const procedureSteps = {
  'transport-set':    'the chip opens under the transport keys that were made for its EID',
  'identity':         'EID and SE fingerprint are those that were reserved',
  'put-key':          'the fleet’s key set came back with its check values under R-MAC',
  'key-mac':          'after a cold reset the chip shows Key-MAC against the gateway’s nonce',
  'key-enc':          'encrypted commands took effect, encrypted answers held what was known',
  'negative-control': 'a key set with a wrong check value was refused',
  'key-dek':          'a key set that only token and chip can know was unwrapped under Key-DEK',
  'key-pair':         'the chip signed with the private key of its certificate',
  'certificate':      'the certificate was read back byte for byte',
  'old-set':          'only the fleet’s key set is left, and the old one opens nothing',
  'life-cycle':       'the life cycle is SECURED, and the counter is the one it stated',
} as const;
export type ProcedureStep = keyof typeof procedureSteps;

const stepNames = Object.keys(procedureSteps) as [ProcedureStep, ...ProcedureStep[]];

const judgedStep = z.strictObject({
  step: z.enum(stepNames),
  outcome: z.enum(['passed', 'earlier', 'failed', 'not-provable']).meta({
    description:
      '`earlier`: the chip showed that a dialogue before this one had done it; `not-provable`: its profile says so.',
  }),
  how: z.string().max(200).meta({ description: 'By what it showed, or the code of the verdict.' }),
});
export type JudgedStep = z.output<typeof judgedStep>;

/** How the chip showed that it has the private key of its certificate. */
const possession = z.union([
  z.strictObject({
    kind: z.literal('request'),
    request: z.base64().meta({ description: 'PKCS#10, DER, signed on the chip.' }),
  }),
  z.strictObject({
    kind: z.literal('challenge'),
    challenge: hex.length(64).meta({ description: 'The gateway’s nonce of this dialogue: a resume.' }),
    signature: hex.length(128).meta({ description: 'r || s over its SHA-256.' }),
  }),
]);
export type Possession = z.output<typeof possession>;

export const judgedFacts = z.strictObject({
  keys: z
    .strictObject({
      transport: z.strictObject({ scheme: z.enum(transportSchemes), algorithm, keyVersion }),
      fleet: z.strictObject({ generation, algorithm, keyVersion }),
      scratch: z.strictObject({ keyVersion }),
    })
    .meta({
      description: 'By what the sets of the sessions were derived, beside the EID; of the last: drawn.',
    }),
  putKeyChains: z
    .array(hex.length(32))
    .max(LISTS_MAX * 64)
    .meta({
      description: 'MAC chaining value after each PUT KEY, in order: codes behind it can be recomputed.',
    }),
  steps: z.array(judgedStep).max(stepNames.length),
  possession: possession.nullable(),
  certificate: z.base64().nullable().meta({ description: 'DER.' }),
});
export type JudgedFacts = z.output<typeof judgedFacts>;

export const transcriptForm = z.strictObject({
  schema: z.literal('holdfast/transcript-1'),
  operation: operationId,
  epoch,
  eid,
  lists: z.array(keptList).min(1).max(LISTS_MAX),
  judged: judgedFacts,
});
export type Transcript = z.output<typeof transcriptForm>;

/** A transcript on its way: with the receipt or verdict that names its hashes. */
export const transcriptFile = z.strictObject({
  schema: z.literal('holdfast/transcript-file-1'),
  kind: z.enum(['confirmation', 'verdict']),
  conclusion: jws,
  transcript: transcriptForm,
});
export type TranscriptFile = z.output<typeof transcriptFile>;
