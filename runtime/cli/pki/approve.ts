/** `holdfast pki approve`: one officer signs the hash of exactly this plan. */
import { z } from 'zod';
import { fromText } from '../../core/bytes.ts';
import { instantOf } from '../../core/instant.ts';
import { type ApprovalPurpose, approvalStatement } from '../../core/messages/approval.ts';
import { seal } from '../../core/messages/envelope.ts';
import { revocationPlan } from '../../core/pki/revocation-plan.ts';
import { certifyPlan, planHashOf, rootCrlPlan } from '../../core/pki/root.ts';
import { ExitCode } from '../../program.ts';
import { type Command, countOf, isSet, textOf, usage } from '../command.ts';
import { formIn, needed } from './given.ts';

const DAYS = 7;
const DAY_MS = 86_400_000;

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
  options: {
    officer: { type: 'string', value: 'NAME', help: 'the officer who signs' },
    key: { type: 'string', value: 'FILE', help: 'the officer’s P-256 key, PEM, mode 0600' },
    reason: { type: 'string', value: 'TEXT', help: 'why; stands in the log' },
    days: { type: 'string', value: 'N', help: `the approval counts for so many days (default ${DAYS})` },
    out: { type: 'string', value: 'FILE', help: 'where the approval is written (default: standard output)' },
  },
  notes: ['Read the plan before you sign it: what it lists is what will be done.'],
  examples: [
    'holdfast pki approve plan.json --officer ada --key ada.key --reason "lost chips" --out ada.jws',
  ],
  run: async (given, means) => {
    const [path] = given.operands;
    if (path === undefined) throw usage('say which plan: PLAN');
    const plan = formIn(path, anyPlan, means.files);
    const officer = needed(given, 'officer', 'who approves');
    const signer = await means.openSigner(needed(given, 'key', 'the key of the officer'));
    const nowMs = means.now();
    const subject = planHashOf(plan, means.crypto);
    const jws = await seal(
      approvalStatement,
      {
        purpose: purposes[plan.contract],
        subject,
        officer,
        reason: needed(given, 'reason', 'why'),
        approvedAt: instantOf(nowMs),
        notAfter: instantOf(nowMs + (countOf(given, 'days', 1) ?? DAYS) * DAY_MS),
      },
      signer,
      means.crypto,
    );
    const out = textOf(given, 'out');
    if (out !== null) await means.pki.write(out, fromText(`${jws}\n`));
    if (isSet(given, 'json')) means.print(JSON.stringify({ officer, plan: subject, approval: jws }));
    else means.print(out === null ? jws : `${officer} approved the plan ${subject}`);
    return ExitCode.done;
  },
};
