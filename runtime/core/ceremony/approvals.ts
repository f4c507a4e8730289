/** Who has approved a ceremony, and whether that is enough for each of its steps. */
import { Fault } from '../faults.ts';
import { type Approval, demandApprovals } from '../messages/approval.ts';
import type { TrustedKey } from '../messages/envelope.ts';
import type { Crypto } from '../ports.ts';
import { type CeremonyPlan, officersOf, planHash } from './plan.ts';

/** Where a step is judged: which, and when it is or was begun. */
export interface StepInstant {
  /** Counted from 1. */
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** An approval is of the whole plan; each step has the plan's quorum, and its own where it names one.
 * @throws Fault APPROVAL_REFUSED, APPROVALS_MISSING with the step */
export function demandStepApprovals(
  plan: CeremonyPlan,
  given: readonly string[],
  { step, nowMs }: StepInstant,
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): readonly Approval[] {
  const { required } = plan.quorum;
  const anybody = { required, officers: [...officersOf(plan)] };
  const demand = { purpose: 'ceremony', subject: planHash(plan, crypto), quorum: anybody, nowMs } as const;
  const approvals = demandApprovals(given, demand, trusted, crypto);
  const own = plan.steps[step - 1]?.quorum ?? null;
  for (const quorum of own === null ? [plan.quorum] : [plan.quorum, own]) {
    const count = approvals.filter(({ officer }) => quorum.officers.includes(officer)).length;
    if (count < quorum.required)
      throw new Fault('APPROVALS_MISSING', {
        purpose: 'ceremony',
        step,
        given: count,
        required: quorum.required,
      });
  }
  return approvals;
}
