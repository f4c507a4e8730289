/**
 * The receipts of one unit: reservation, confirmation (or verdict), registration (or rejection). Each stands
 * alone, is signed by whom it binds, and names operation, EID and SE fingerprint.
 */
import { z } from 'zod';
import { transportClasses, transportSchemes } from '../card/import-schemes.ts';
import { keyAlgorithms } from '../card/key-algorithm.ts';
import { dekProofs } from '../card/profile.ts';
import { statement } from './envelope.ts';
import {
  absent,
  checkValues,
  eid,
  epoch,
  faultNote,
  generation,
  hash,
  hex,
  instant,
  keyVersion,
  nest,
  operationId,
  partyName,
  release,
} from './fields.ts';

/** What every receipt names. */
const unit = {
  operation: operationId,
  epoch,
  station: partyName,
  nest,
  eid,
  seFingerprint: hash.meta({ description: 'SHA-256 over ATR, CPLC, IIN and CIN.' }),
};

/** Receipts of older versions name nobody. */
const operator = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .meta({ description: 'Who was in charge when it was reserved: a pseudonym, or the named authority.' });

/** The station makes the transcript hash by itself; what was judged inside the token it cannot see. */
const judgedHash = hash.meta({ description: 'SHA-256 over what the gateway judged in the transcript.' });

export const reservationPayload = z.strictObject({
  ...unit,
  ticket: z.string(),
  ticketHash: hash,
  attempt: z.uuid().meta({ description: 'The station’s name for this try; a repetition carries the same.' }),
  generation,
  keyVersion,
  appearance: z.enum(['first', 'resume']).meta({ description: 'Whether this EID was reserved before.' }),
  operator,
  reservedAt: instant,
});
export type Reservation = z.output<typeof reservationPayload>;
export const reservation = statement({
  typ: 'holdfast/reservation+v1',
  signedBy: 'backend',
  payload: reservationPayload,
});

/** Strongest first. */
export const negativeControls = ['absent-from-template', 'statistical', 'not-provable'] as const;

/** How each key was proved; what is not proved says so. */
export const keyProofs = z.strictObject({
  mac: z.enum(['cryptogram']),
  enc: z.enum(['encrypted-round-trip']),
  challengeRecomputed: z.boolean().nullable().meta({
    description: 'Whether the card challenge is what Key-ENC makes of the counter; null: it is drawn.',
  }),
  dek: z.enum(dekProofs).meta({
    description:
      'A scratch set opened a session, or the chip told right check values from wrong ones, often; or it cannot show it.',
  }),
  negativeControl: z.enum(negativeControls).meta({
    description: 'How it showed that a wrong check value is refused.',
  }),
  identity: z.enum(['under-mac', 'unauthenticated']).meta({
    description: 'Whether EID and fingerprint objects were read inside the secure channel.',
  }),
});

const certified = z.strictObject({
  der: z.base64(),
  sha256: hash,
  serial: hex,
  issuer: partyName,
  issuerKeyId: hex,
  profile: z.string(),
  publicKeyHash: hash.meta({ description: 'SHA-256 of the SubjectPublicKeyInfo.' }),
  batch: z.string(),
  notBefore: instant,
});
/** The certificate as the confirmation names it. */
export type Certified = z.output<typeof certified>;

export const confirmationPayload = z.strictObject({
  ...unit,
  ticket: z.string(),
  operator,
  gateway: partyName,
  keys: z.strictObject({
    scheme: z.literal('eid-kdf-1'),
    algorithm: z.enum(keyAlgorithms),
    generation,
    keyVersion,
    checkValues,
  }),
  transport: z.strictObject({
    keyVersion,
    algorithm: z.enum(keyAlgorithms),
    scheme: z.enum(transportSchemes),
    class: z.enum(transportClasses).meta({
      description: 'Who else knows these keys; all but diversified only under a laboratory ticket.',
    }),
    deleted: z.literal(true),
  }),
  proofs: keyProofs,
  card: z.strictObject({
    atr: hex,
    objects: z.record(z.string(), hex).meta({ description: 'Fingerprint objects as read under R-MAC.' }),
    keyVersions: z.array(keyVersion),
    lifeCycle: z.int().min(0).max(255),
    sequenceCounter: z
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Of the new key set, at the end: the transit seal.' }),
  }),
  certificate: z.union([certified, absent]),
  transcriptHash: hash,
  judgedHash,
  exchanges: z.int().min(1).meta({ description: 'APDUs of the dialogue.' }),
  token: z.strictObject({
    softwareToken: z.boolean(),
    module: z.string(),
    label: z.string(),
    serial: z.string(),
  }),
  confirmedAt: instant,
});
export type Confirmation = z.output<typeof confirmationPayload>;
export const confirmation = statement({
  typ: 'holdfast/confirmation+v1',
  signedBy: 'gateway',
  payload: confirmationPayload,
});

/** The gateway's verdict against a card, from the first key operation on. */
export const verdictPayload = z.strictObject({
  ...unit,
  ticket: z.string(),
  gateway: partyName,
  fault: faultNote,
  identityProved: z.boolean().meta({
    description:
      'Whether this chip gave EID and fingerprint under R-MAC, in a session under keys of that EID.',
  }),
  keyVersionsTouched: z.array(keyVersion).meta({
    description: 'Key sets that may be on the chip, by this dialogue or one before: listed for revocation.',
  }),
  certificateSerials: z.array(hex),
  transcriptHash: hash,
  judgedHash,
  judgedAt: instant,
});
export type Verdict = z.output<typeof verdictPayload>;
export const verdict = statement({
  typ: 'holdfast/verdict+v1',
  signedBy: 'gateway',
  payload: verdictPayload,
});

/** Place of a leaf in the fleet log, provable offline. */
const inLog = {
  leafIndex: z.int().min(0),
  leaf: z.base64().max(65_536).meta({ description: 'The leaf’s bytes: what the log says of this unit.' }),
  inclusionProof: z.array(hash).max(64),
  consistencyProof: z
    .array(hash)
    .max(64)
    .meta({ description: 'From the tree size that the request named; empty from 0 and for the same size.' }),
  knownTreeSize: z.int().min(0),
  checkpoint: z.string().max(4096).meta({ description: 'C2SP signed note of the fleet log.' }),
};

export const registrationPayload = z.strictObject({
  ...unit,
  transcriptHash: hash,
  recordHash: hash,
  ...inLog,
  release,
  registeredAt: instant,
});
export type Registration = z.output<typeof registrationPayload>;
export const registration = statement({
  typ: 'holdfast/registration+v1',
  signedBy: 'backend',
  payload: registrationPayload,
});

/** The reject receipt: the unit may leave by the reject lane and by no other. */
export const rejectionPayload = z.strictObject({
  station: partyName,
  nest,
  visit: z.uuid(),
  operation: operationId.meta({ description: 'The operation, or the visit where none was reserved.' }),
  eid: eid.nullable(),
  fault: faultNote,
  ...inLog,
  release,
  registeredAt: instant,
});
export type Rejection = z.output<typeof rejectionPayload>;
export const rejection = statement({
  typ: 'holdfast/rejection+v1',
  signedBy: 'backend',
  payload: rejectionPayload,
});
