/**
 * Countersignatures of a ceremony record: one conductor could write down what never was, so officers who were in the
 * room sign the record's hash. With the conductor they are as many as the plan's quorum asks for.
 */
import { type Approval, demandApprovals } from '../messages/approval.ts';
import { hashOf, type TrustedKey } from '../messages/envelope.ts';
import type { Crypto } from '../ports.ts';
import type { CeremonyRecord } from './record.ts';

/** What is witnessed: a record as it was signed, and when that is judged. */
export interface WitnessDemand {
  readonly record: CeremonyRecord;
  readonly jws: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** The conductor's own countersignature is a refusal: it would count one officer twice.
 * @throws Fault APPROVALS_MISSING, APPROVAL_REFUSED */
export function demandWitnesses(
  given: readonly string[],
  { record, jws, nowMs }: WitnessDemand,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): readonly Approval[] {
  const { required, officers } = record.plan.quorum;
  const quorum = {
    // A conductor of one step's officers alone is none of the plan's.
    required: officers.includes(record.conductor) ? required - 1 : required,
    officers: officers.filter((officer) => officer !== record.conductor),
  };
  const demand = { purpose: 'ceremony', subject: hashOf(jws, crypto), quorum, nowMs } as const;
  return demandApprovals(given, demand, trusted, crypto);
}
