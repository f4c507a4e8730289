/** Messages of a ticket's close-out: the gateway's signed counts, and the instruction to close. */
import { z } from 'zod';
import { fromText, toHex } from '../bytes.ts';
import { canonicalJson, type Json } from '../canonical-json.ts';
import { Fault } from '../faults.ts';
import { instantMs } from '../instant.ts';
import type { Crypto } from '../ports.ts';
import type { LedgerUnit, RefusalRow } from '../store/ledger.ts';
import { MESSAGE_BYTES_MAX } from './channel.ts';
import { open, statement, type TrustedKey } from './envelope.ts';
import { eid, epoch, hash, instant, jws, operationId, partyName } from './fields.ts';
import { instruction } from './instruction.ts';

/** Units in one statement, refusals in the first: so that it fits into a message. */
export const COUNTED_UNITS_MAX = 512;
export const COUNTED_REFUSALS_MAX = 100;
/** Statements of one ticket: more units need more than one order. */
export const COUNTS_MAX = 128;
/** How old the gateway's counts may be when the backend compares them. */
const COUNTS_AGE_MS = 3_600_000;
const CLOCKS_MS = 300_000;

const ticketName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);
const counted = z.union([z.literal(0), epoch]);

const refusalForm = z.strictObject({
  key: z.string().max(120),
  station: partyName,
  code: z.string().max(64),
  ticket: z.string().max(64),
  eid: z.string().max(32),
  entry: z.string().max(1000),
  at: instant,
});

const countsPayload = z.strictObject({
  ticket: ticketName,
  gateway: partyName,
  after: z
    .string()
    .max(64)
    .meta({ description: 'The last operation of the statement before; empty in the first.' }),
  units: z
    .array(
      z.strictObject({
        operation: operationId,
        eid,
        derived: z.boolean(),
        confirmedEpoch: counted,
        verdictEpoch: counted,
      }),
    )
    .max(COUNTED_UNITS_MAX),
  complete: z.boolean().meta({ description: 'Whether no unit of the ticket comes behind these.' }),
  refusals: z
    .array(refusalForm)
    .max(COUNTED_REFUSALS_MAX)
    .meta({ description: 'Some of what was refused under this ticket; in the first statement.' }),
  refused: z
    .array(z.strictObject({ code: z.string().max(64), count: z.int().min(1) }))
    .max(64)
    .meta({ description: 'How many refusals there are of each code; in the first statement.' }),
  refusalsHash: z.union([z.literal(''), hash]).meta({
    description: 'Over every refusal under this ticket; in the first statement, empty where there is none.',
  }),
  countedAt: instant,
});

export const ticketCounts = statement({
  typ: 'holdfast/ticket-counts+v1',
  signedBy: 'gateway',
  payload: countsPayload,
});

const longJws = z
  .string()
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  .max(MESSAGE_BYTES_MAX);

export const ticketCountsInstruction = instruction({
  name: 'ticket-counts',
  to: 'gateway',
  body: z.strictObject({ ticket: ticketName, after: z.string().max(64) }),
  answer: z.strictObject({ statement: longJws, next: z.string().nullable() }),
});

/** What a gateway refused under a ticket, one by one; of no ticket where none could be read, and numbers of too many. */
export const listRefusalsInstruction = instruction({
  name: 'list-refusals',
  to: 'gateway',
  body: z.strictObject({ ticket: z.union([z.literal(''), ticketName]), after: z.string().max(120) }),
  answer: z.strictObject({ refusals: z.array(refusalForm).max(COUNTED_REFUSALS_MAX) }),
});

const unitName = z.strictObject({ operation: z.string(), eid: z.string() });
const natural = z.int().min(0);

/** What officers approve: what became of the units, and which are not accounted for by a lane. */
export const closeOutDocument = z.strictObject({
  closeOut: ticketName,
  counts: z.strictObject({
    taken: natural,
    released: natural,
    rejected: natural,
    quarantined: natural,
    open: natural,
    moved: natural,
    disowned: natural,
    derivations: natural,
    confirmations: z.strictObject({ gateway: natural, backend: natural }),
    records: natural,
  }),
  open: z.array(unitName).max(1000),
  quarantined: z.array(unitName).max(1000),
});
export type CloseOutDocument = z.output<typeof closeOutDocument>;

export function closeOutHash(document: CloseOutDocument, crypto: Pick<Crypto, 'sha256'>): string {
  return toHex(crypto.sha256(fromText(canonicalJson(document as Json))));
}

export const closeTicketInstruction = instruction({
  name: 'close-ticket',
  to: 'backend',
  body: z.strictObject({
    ticket: ticketName,
    counts: z.array(longJws).min(1).max(COUNTS_MAX),
    approvals: z.array(jws).max(16),
    dryRun: z.boolean(),
  }),
  answer: z.strictObject({
    document: closeOutDocument,
    subject: hash,
    differences: z.array(unitName.extend({ missing: z.string() })).max(1000),
    leafIndex: natural.nullable().meta({ description: 'Null for a dry run.' }),
  }),
});

/** The gateway's side of a ticket. */
export interface OpenedCounts {
  readonly units: readonly LedgerUnit[];
  readonly refusals: readonly RefusalRow[];
  readonly refused: readonly { readonly code: string; readonly count: number }[];
  /** Over every refusal under the ticket, with those that are only counted here; empty for none. */
  readonly refusalsHash: string;
}

/** Verifies that these statements are all of a ticket, in their order, and not old.
 * @throws Fault CLOSE_OUT_REFUSED, ENVELOPE_INVALID, MESSAGE_MALFORMED */
export function openCounts(
  ticket: string,
  statements: readonly string[],
  nowMs: number,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): OpenedCounts {
  const units: LedgerUnit[] = [];
  const refusals: RefusalRow[] = [];
  const refused: { readonly code: string; readonly count: number }[] = [];
  let refusalsHash = '';
  let complete = false;
  for (const one of statements) {
    const { payload } = open(ticketCounts, one, trusted, crypto);
    const ageMs = nowMs - instantMs(payload.countedAt);
    if (payload.ticket !== ticket) throw refusal(ticket, `counts of ticket ${payload.ticket}`);
    if (ageMs > COUNTS_AGE_MS || ageMs < -CLOCKS_MS) throw refusal(ticket, 'the counts are not of this hour');
    if (complete || payload.after !== (units.at(-1)?.operation ?? ''))
      throw refusal(ticket, 'a statement of the counts is missing or out of its order');
    units.push(...payload.units);
    refusals.push(...payload.refusals);
    refused.push(...payload.refused);
    if (payload.after === '') refusalsHash = payload.refusalsHash;
    complete = payload.complete;
  }
  if (!complete) throw refusal(ticket, 'the last statement of the counts is missing');
  return { units, refusals, refused, refusalsHash };
}

function refusal(ticket: string, why: string): Fault {
  return new Fault('CLOSE_OUT_REFUSED', { ticket, why });
}
