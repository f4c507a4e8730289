/** `holdfast pki approve`: one officer signs the hash of exactly this plan. */
import { z } from 'zod';
import type { ApprovalPurpose } from '../../core/messages/approval.ts';
import { revocationPlan } from '../../core/pki/revocation-plan.ts';
import { certifyPlan, planHashOf, rootCrlPlan } from '../../core/pki/root.ts';
import { approvalOptions, approve } from '../approval.ts';
import { type Command, usage } from '../command.ts';
import { formIn } from '../given.ts';

const anyPlan = z.discriminatedUnion('contract', [certifyPlan, rootCrlPlan, revocationPlan]);

const purposes: Readonly<Record<z.output<typeof anyPlan>['contract'], ApprovalPurpose>> = {
  'holdfast/certify-plan-1': 'ceremony',
  'holdfast/root-crl-plan-1': 'revocation',
  'holdfast/revocation-plan-1': 'revocation',
};

export const pkiApproveCommand: Command = {
  name: 'pki approve',
  summary: 'an officer approves a plan of certificates or revocation: signs its hash',
  operands: 'PLAN',
  operandsMax: 1,
  options: approvalOptions,
  notes: ['Read the plan before you sign it: what it lists is what will be done.'],
  examples: [
    'holdfast pki approve plan.json --officer ada --key ada.key --reason "lost chips" --out ada.jws',
  ],
  run: async (given, means) => {
    const [path] = given.operands;
    if (path === undefined) throw usage('say which plan: PLAN');
    const plan = formIn(path, anyPlan, means.files);
    const subject = planHashOf(plan, means.crypto);
    return approve(given, means, { purpose: purposes[plan.contract], subject });
  },
};
