/**
 * Approvals: M of N officers sign the hash of exactly what is to be done, each with a reason and an end date.
 * What needs them names its purpose, so that an approval of one thing never passes for one of another.
 *
 * No token enforces this quorum: it is judged by the program that acts, and everyone can judge it again later.
 */
import { z } from 'zod';
import { Fault, isFault } from '../faults.ts';
import { instantMs } from '../instant.ts';
import type { Crypto } from '../ports.ts';
import { hashOf, open, statement, type TrustedKey } from './envelope.ts';
import { hash, instant, partyName } from './fields.ts';

/** What officers can be asked for. */
export const approvalPurposes = [
  'ceremony',
  'ticket',
  'close-out',
  'revocation',
  'station-revocation',
  'station-enrolment',
  'restore',
  'unit-life',
  'operator',
] as const;
export type ApprovalPurpose = (typeof approvalPurposes)[number];

export const approvalPayload = z.strictObject({
  purpose: z.enum(approvalPurposes),
  subject: hash.meta({ description: 'SHA-256 of exactly what is approved.' }),
  officer: partyName,
  reason: z.string().min(1).max(200),
  approvedAt: instant,
  notAfter: instant.meta({ description: 'Later than this the approval counts for nothing.' }),
});
export type ApprovalPayload = z.output<typeof approvalPayload>;

export const approvalStatement = statement({
  typ: 'holdfast/approval+v1',
  signedBy: 'officer',
  payload: approvalPayload,
});

/** How many of which officers must agree. */
export const quorumForm = z
  .strictObject({
    required: z.int().min(1).max(16),
    officers: z.array(partyName).min(1).max(64),
  })
  .refine(({ required, officers }) => required <= new Set(officers).size, {
    error: 'asks for more officers than it names',
    path: ['required'],
  })
  .refine(({ officers }) => new Set(officers).size === officers.length, {
    error: 'names an officer twice',
    path: ['officers'],
  });
export type Quorum = z.output<typeof quorumForm>;

/** What the approvals must be for. */
export interface ApprovalDemand {
  readonly purpose: ApprovalPurpose;
  /** SHA-256, hexadecimal. */
  readonly subject: string;
  readonly quorum: Quorum;
  /** Milliseconds since 1970, of the judging program: when it was, or is to be, done. */
  readonly nowMs: number;
}

export interface Approval extends ApprovalPayload {
  /** SHA-256 of the JWS, hexadecimal: names this approval where approvals are spent once. */
  readonly approval: string;
  readonly jws: string;
}

/** Every approval must be good and the quorum met; one that is not good is a refusal, never a blank.
 * @throws Fault APPROVAL_REFUSED naming the officer and why, APPROVALS_MISSING with the counts */
export function demandApprovals(
  given: readonly string[],
  demand: ApprovalDemand,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): readonly Approval[] {
  if (given.length > APPROVALS_MAX) throw refused('more than can be judged');
  const approvals = given.map((jws) => judged(jws, demand, trusted, crypto));
  const officers = new Set(approvals.map(({ officer }) => officer));
  if (officers.size < approvals.length)
    throw refused('one officer approved twice', { officer: twice(approvals) });
  const { required } = demand.quorum;
  if (officers.size < required)
    throw new Fault('APPROVALS_MISSING', { purpose: demand.purpose, given: officers.size, required });
  return approvals;
}

const APPROVALS_MAX = 64;

function judged(
  jws: string,
  demand: ApprovalDemand,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): Approval {
  const { payload, signer } = opened(jws, trusted, crypto);
  const { officer } = payload;
  if (officer !== signer.name) throw refused('signed with the key of another officer', { officer });
  if (!demand.quorum.officers.includes(officer)) throw refused('not an officer for this', { officer });
  if (payload.purpose !== demand.purpose)
    throw refused(`approves a ${payload.purpose}, not a ${demand.purpose}`, { officer });
  if (payload.subject !== demand.subject) throw refused('approves something else', { officer });
  if (demand.nowMs < instantMs(payload.approvedAt) - CLOCKS_MS)
    throw refused('is not valid yet', { officer });
  if (demand.nowMs > instantMs(payload.notAfter)) throw refused('is no longer valid', { officer });
  return { ...payload, approval: hashOf(jws, crypto), jws };
}

/** How far an officer's clock may be ahead. */
const CLOCKS_MS = 300_000;

function opened(jws: string, trusted: readonly TrustedKey[], crypto: Crypto) {
  try {
    return open(approvalStatement, jws, trusted, crypto);
  } catch (error) {
    if (!isFault(error)) throw error;
    throw new Fault('APPROVAL_REFUSED', { why: 'not signed by a known officer' }, { cause: error });
  }
}

function twice(approvals: readonly Approval[]): string {
  const seen = new Set<string>();
  for (const { officer } of approvals) if (seen.size === seen.add(officer).size) return officer;
  return '';
}

function refused(why: string, context: { readonly officer?: string } = {}): Fault {
  return new Fault('APPROVAL_REFUSED', { why, ...context });
}
