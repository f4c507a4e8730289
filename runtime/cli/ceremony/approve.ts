/** `holdfast ceremony approve`: one officer signs the hash of exactly this plan. */
import { fromText } from '../../core/bytes.ts';
import { officersOf, planHash } from '../../core/ceremony/plan.ts';
import { instantOf } from '../../core/instant.ts';
import { approvalStatement } from '../../core/messages/approval.ts';
import { seal } from '../../core/messages/envelope.ts';
import { ExitCode } from '../../program.ts';
import { type Command, countOf, isSet, textOf, usage } from '../command.ts';
import { needed, officerOptions, openOfficer, planIn } from './given.ts';

const DAYS = 7;
const DAY_MS = 86_400_000;

export const ceremonyApproveCommand: Command = {
  name: 'ceremony approve',
  summary: 'an officer approves a plan: signs its hash, with a reason and an end date',
  operands: 'FILE',
  operandsMax: 1,
  options: {
    ...officerOptions,
    reason: { type: 'string', value: 'TEXT', help: 'why; stands in the record' },
    days: { type: 'string', value: 'N', help: `the approval counts for so many days (default ${DAYS})` },
    out: { type: 'string', value: 'FILE', help: 'where the approval is written (default: standard output)' },
  },
  notes: ['Read what holdfast ceremony plan tells before you sign.'],
  examples: [
    'holdfast ceremony approve masters.json --officer ada --key ada.key --reason "line 1" --out ada.jws',
  ],
  run: async (given, means) => {
    const plan = planIn(given, means);
    const officer = needed(given, 'officer', 'who approves');
    const reason = needed(given, 'reason', 'why');
    if (!officersOf(plan).includes(officer)) throw usage(`${officer} has no say in this plan`);
    const nowMs = means.now();
    const days = countOf(given, 'days', 1) ?? DAYS;
    await using signer = await openOfficer(given, means);
    const subject = planHash(plan, means.crypto);
    const jws = await seal(
      approvalStatement,
      {
        purpose: 'ceremony',
        subject,
        officer,
        reason,
        approvedAt: instantOf(nowMs),
        notAfter: instantOf(nowMs + days * DAY_MS),
      },
      signer,
      means.crypto,
    );
    const out = textOf(given, 'out');
    if (out !== null) await means.ceremony.shelf.write(out, fromText(`${jws}\n`));
    if (isSet(given, 'json')) means.print(JSON.stringify({ officer, plan: subject, approval: jws }));
    else means.print(out === null ? jws : `${officer} approved the plan ${subject}`);
    return ExitCode.done;
  },
};
