/** Every request a station makes, with its answer. */
import { z } from 'zod';
import { exchangeKind } from './exchange.ts';
import { agreementKey, controllerReport, eid, faultNote, hash, hex, jwe, jws, keyVersion } from './fields.ts';

const identity = z.strictObject({
  eid,
  seFingerprint: hash,
  atr: hex.max(66),
  keyVersions: z.array(keyVersion).max(32),
});

const shiftOfStation = jws
  .optional()
  .meta({ description: 'Receipt of the shift that goes on; absent under the authority.' });

export const reserveExchange = exchangeKind({
  name: 'reserve',
  topic: 'backend/reserve',
  to: 'backend',
  summary: 'Reserves an EID before any key is injected; the same EID gets its operation again, epoch raised.',
  request: z.strictObject({
    attempt: z
      .uuid()
      .meta({ description: 'Repetitions of one try carry the same; a resume carries another.' }),
    ticket: jws,
    identity,
    report: controllerReport.meta({ description: 'The gate controller’s word on the arrival.' }),
    shift: shiftOfStation,
  }),
  answer: z.strictObject({ reservation: jws }),
});

export const registerExchange = exchangeKind({
  name: 'register',
  topic: 'backend/register',
  to: 'backend',
  summary: 'Commits record, confirmation, custody and audit leaf in one transaction; answers after COMMIT.',
  request: z.strictObject({
    reservation: jws,
    confirmation: jws,
    ticket: jws,
    report: controllerReport,
    knownTreeSize: z.int().min(0),
    holds: z.array(faultNote).max(64).meta({ description: 'Holds of this visit, for the identity record.' }),
    software: z
      .string()
      .regex(/^[\w .+-]{1,64}$/)
      .optional()
      .meta({ description: 'Name and version of the station’s program.' }),
  }),
  answer: z.strictObject({ registration: jws }),
});

export const rejectExchange = exchangeKind({
  name: 'reject',
  topic: 'backend/reject',
  to: 'backend',
  summary: 'Records a verdict on the card; answers with the release for the reject lane.',
  request: z.strictObject({
    visit: z.uuid(),
    identity: identity.nullable(),
    reservation: jws.nullable(),
    verdict: jws
      .nullable()
      .meta({ description: 'The gateway’s, or null where the station judged before any key was used.' }),
    fault: faultNote,
    report: controllerReport,
    knownTreeSize: z.int().min(0),
    shift: shiftOfStation,
  }),
  answer: z.strictObject({ rejection: jws }),
});

/** What the gateway lets the station play in one go; on the bus it is always encrypted. */
export const apduList = z.strictObject({
  name: z.string().max(40),
  changes: z
    .boolean()
    .meta({ description: 'Whether the list changes the card: an intent is journalled first.' }),
  actions: z
    .array(
      z.union([
        z.strictObject({
          kind: z.literal('command'),
          command: z.base64(),
          deadlineMs: z.int().positive().max(300_000),
        }),
        z.strictObject({ kind: z.literal('cold-reset') }),
      ]),
    )
    .min(1)
    .max(64),
});
export type ApduList = z.output<typeof apduList>;

/** What crossed the wire for one action: frames as sent and answered; on the bus always encrypted. */
export const playedExchange = z.strictObject({
  kind: z.enum(['command', 'cold-reset']),
  wire: z
    .array(z.strictObject({ command: z.base64(), answer: z.base64() }))
    .min(1)
    .max(320),
});

const conclusion = z.union([
  z.strictObject({ kind: z.literal('confirmation'), confirmation: jws }),
  z.strictObject({ kind: z.literal('verdict'), verdict: jws, fault: faultNote }),
]);
const dialogueAnswer = z.union([
  z.strictObject({
    kind: z.literal('list'),
    dialogue: z.uuid(),
    instance: z.string(),
    answerKey: agreementKey.meta({
      description: 'Point of P-256 that the answers to this list are encrypted to; drawn for this dialogue.',
    }),
    list: jwe,
  }),
  conclusion,
]);

/** What the gateway says next, its list not yet encrypted. */
export type DialogueAnswer =
  | {
      readonly kind: 'list';
      readonly dialogue: string;
      readonly instance: string;
      readonly list: ApduList;
    }
  | z.output<typeof conclusion>;

export const dialogueOpenExchange = exchangeKind({
  name: 'dialogue-open',
  topic: 'gateway/open',
  to: 'gateway',
  summary: 'Opens the personalization dialogue of a reserved unit; any gateway may take it.',
  request: z.strictObject({
    ticket: jws,
    reservation: jws,
    identity,
    listKey: agreementKey.meta({
      description: 'Point of P-256 that the lists are encrypted to; drawn for this dialogue.',
    }),
  }),
  answer: dialogueAnswer,
});

export const dialogueContinueExchange = exchangeKind({
  name: 'dialogue-continue',
  topic: 'gateway/{instance}/continue',
  to: 'gateway',
  summary: 'Returns the answers to an APDU list and asks for the next; goes to the instance that opened.',
  request: z.strictObject({
    dialogue: z.uuid(),
    outcome: z.enum(['played', 'unsent', 'unknown']),
    answers: jwe,
  }),
  answer: dialogueAnswer,
});

const journalHead = z.strictObject({ sequence: z.int().min(0), hash });

export const eventsExchange = exchangeKind({
  name: 'events',
  topic: 'backend/events',
  to: 'backend',
  summary: 'Streams journal entries upward until the backend acknowledges them.',
  request: z.strictObject({
    journal: z.uuid(),
    genesis: z.strictObject({ journal: z.uuid(), station: z.string(), created: z.string() }),
    previousHash: hash,
    entries: z
      .array(z.strictObject({ sequence: z.int().min(0), text: z.string().max(131_072), hash }))
      .min(1)
      .max(64),
  }),
  answer: z.strictObject({ head: journalHead.meta({ description: 'The last entry that is committed.' }) }),
});

export const journalHeadExchange = exchangeKind({
  name: 'journal-head',
  topic: 'backend/journal-head',
  to: 'backend',
  summary: 'Asks what the backend holds of a journal; a station compares before it does anything to a unit.',
  request: z.strictObject({ journal: z.uuid() }),
  answer: z.strictObject({
    head: journalHead.nullable().meta({ description: 'The last entry; null when there is none.' }),
  }),
});

export const signInExchange = exchangeKind({
  name: 'sign-in',
  topic: 'backend/sign-in',
  to: 'backend',
  summary:
    'Asks for a key, then signs an operator in with the badge encrypted to it; answers with a receipt.',
  request: z.union([
    z.strictObject({ kind: z.literal('key') }),
    z.strictObject({ kind: z.literal('badge'), badge: jwe }),
  ]),
  answer: z.union([
    z.strictObject({ kind: z.literal('key'), key: agreementKey }),
    z.strictObject({
      kind: z.literal('shift'),
      receipt: jws,
      name: z.string().min(1).max(64).meta({ description: 'For the screen; the station keeps it nowhere.' }),
    }),
  ]),
});

export const exchanges = [
  reserveExchange,
  registerExchange,
  rejectExchange,
  dialogueOpenExchange,
  dialogueContinueExchange,
  eventsExchange,
  journalHeadExchange,
  signInExchange,
] as const;
