/** `holdfast ceremony approve`: one officer signs the hash of exactly this plan. */
import { officersOf, planHash } from '../../core/ceremony/plan.ts';
import { approvalOptions, approve } from '../approval.ts';
import { type Command, usage } from '../command.ts';
import { needed } from '../given.ts';
import { planIn } from './given.ts';

export const ceremonyApproveCommand: Command = {
  name: 'ceremony approve',
  summary: 'an officer approves a plan: signs its hash, with a reason and an end date',
  operands: 'FILE',
  operandsMax: 1,
  options: approvalOptions,
  notes: ['Read what holdfast ceremony plan tells before you sign.'],
  examples: [
    'holdfast ceremony approve masters.json --officer ada --key ada.key --reason "line 1" --out ada.jws',
  ],
  run: async (given, means) => {
    const plan = planIn(given, means);
    const officer = needed(given, 'officer', 'who approves');
    if (!officersOf(plan).includes(officer)) throw usage(`${officer} has no say in this plan`);
    return approve(given, means, { purpose: 'ceremony', subject: planHash(plan, means.crypto) });
  },
};
