/** `holdfast pki revoke`: plans a revocation, and carries an approved one from the backend to the gateway. */
import { fromText } from '../../core/bytes.ts';
import { instantOf } from '../../core/instant.ts';
import {
  executeRevocationInstruction,
  planRevocationInstruction,
  signCrlInstruction,
} from '../../core/messages/revocation.ts';
import { reasonNames } from '../../core/pki/crl.ts';
import {
  type Aim,
  type RevocationPlan,
  revocationPlan,
  revocationWays,
} from '../../core/pki/revocation-plan.ts';
import { planHashOf } from '../../core/pki/root.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, isSet, textOf, usage } from '../command.ts';
import { formIn } from '../given.ts';
import type { Means } from '../means.ts';
import { lineOptions, socketOf } from '../program-place.ts';
import { approvalsOf, dateOf, executeOptions, oneOf, writePlan } from './given.ts';
import { tellAimed, tellTouched } from './issued.ts';
import { planLines } from './plan-text.ts';

export const pkiRevokeCommand: Command = {
  name: 'pki revoke',
  summary: 'shows who dies by a revocation, and executes an approved plan',
  options: {
    eid: { type: 'string', value: 'EID', help: 'one unit' },
    batch: {
      type: 'string',
      value: 'BATCH',
      help: 'all units of a batch; METER-* means all batches that begin so',
    },
    intermediate: { type: 'string', value: 'NAME', help: 'everything that an intermediate has issued' },
    station: { type: 'string', value: 'STATION', help: 'all units that a station has made' },
    from: { type: 'string', value: 'DATE', help: 'only units recorded at or after this' },
    to: { type: 'string', value: 'DATE', help: 'only units recorded before this' },
    reason: { type: 'string', value: 'REASON', help: `${reasonNames.join(', ')} (default keyCompromise)` },
    way: {
      type: 'string',
      value: 'WAY',
      help: `${revocationWays.join(', ')}: one by one, or with their intermediate (default auto)`,
    },
    recorded: {
      type: 'boolean',
      help: 'asks no gateway: only certificates that the fleet knows of',
    },
    'dry-run': { type: 'boolean', help: 'shows the plan, and revokes nothing' },
    plan: { type: 'string', value: 'FILE', help: 'writes the plan for officers to approve' },
    execute: executeOptions.execute,
    approval: executeOptions.approval,
    'trust-list': { type: 'string', value: 'FILE', help: 'writes the trust list that the backend answers' },
    ...lineOptions,
  },
  notes: [
    'First the gateway’s ledger is asked, which knows every certificate: of units that were rejected or never recorded too.',
    'Where several HSMs issue, the others are asked by a --dry-run with their own --dir.',
    'A batch falls with its intermediate where it is all that the intermediate has issued; else one by one.',
    'An intermediate falls for our validators at once, by the trust list; for all others with the root’s next list:',
    'holdfast pki root crl.',
  ],
  examples: [
    'holdfast pki revoke --batch B-7 --dry-run',
    'holdfast pki revoke --batch B-7 --reason keyCompromise --plan plan.json',
    'holdfast pki approve plan.json --officer ada --key ada.key --reason "lost chips" --out ada.jws',
    'holdfast pki revoke --execute plan.json --approval ada.jws --approval bob.jws',
  ],
  run: (given, means) => (textOf(given, 'execute') === null ? plan(given, means) : execute(given, means)),
};

async function plan(given: Arguments, means: Means): Promise<number> {
  const out = textOf(given, 'plan');
  if (out === null && !isSet(given, 'dry-run'))
    throw usage('--dry-run shows the plan, --plan FILE writes it for officers to approve');
  const asked = { aim: aimOf(given), way: oneOf(given, 'way', revocationWays, 'auto') };
  const reason = oneOf(given, 'reason', reasonNames, 'keyCompromise');
  const backend = socketOf('backend', given, means);
  const planned = () => means.instruct(backend, planRevocationInstruction, { ...asked, reason });
  const sockets = isSet(given, 'recorded') ? null : { backend, gateway: socketOf('gateway', given, means) };
  const told = sockets === null ? 0 : await tellAimed(asked.aim, sockets, means);
  let made = await planned();
  const besides = sockets === null ? 0 : await tellTouched(made, sockets, means);
  if (besides > 0) made = await planned();
  if (told + besides > 0)
    means.talk(`${told + besides} certificates of the gateway’s ledger were not known to the fleet`);
  if (out !== null) await writePlan(out, made, means);
  const hash = planHashOf(made, means.crypto);
  if (isSet(given, 'json')) means.print(JSON.stringify({ hash, plan: made }));
  else for (const line of planLines(made, hash, means.paint)) means.print(line);
  return ExitCode.done;
}

/** The backend first: from its commit on the units are revoked. What the gateway signs then can be asked for again. */
async function execute(given: Arguments, means: Means): Promise<number> {
  const approved: RevocationPlan = formIn(textOf(given, 'execute') ?? '', revocationPlan, means.files);
  const done = await means.instruct(socketOf('backend', given, means), executeRevocationInstruction, {
    plan: approved,
    approvals: [...approvalsOf(given, means)],
  });
  const out = textOf(given, 'trust-list');
  if (out !== null && done.trustList !== null) await means.write(out, fromText(`${done.trustList}\n`));
  const gateway = socketOf('gateway', given, means);
  const { orders, trustList } = done;
  const signed = await means.instruct(gateway, signCrlInstruction, { orders, trustList });
  if (isSet(given, 'json')) means.print(JSON.stringify({ ...done, gateway: signed }));
  else {
    means.print(`revoked ${done.certificates} certificates and ${done.intermediates.length} intermediates`);
    means.print(`log     leaf ${done.leafIndex}, plan ${done.plan}`);
    for (const { issuer, number, entries, bytes } of signed.crls)
      means.print(`list    ${issuer} number ${number}: ${entries} certificates, ${bytes} bytes`);
    if (signed.trustList !== null) means.print(`trust   list number ${signed.trustList}`);
    if (approved.effect.needsRoot)
      means.print(
        `root    standard verifiers wait for: holdfast pki root crl --revoke ${done.intermediates.join(' --revoke ')}`,
      );
  }
  return ExitCode.done;
}

/** @throws Fault USAGE unless exactly one thing is aimed at */
function aimOf(given: Arguments): Aim {
  const aims = (['eid', 'batch', 'intermediate', 'station'] as const).flatMap((kind) => {
    const value = textOf(given, kind);
    return value === null ? [] : [{ kind, value }];
  });
  const [aim, ...more] = aims;
  if (aim === undefined || more.length > 0)
    throw usage('say whom, and one only: --eid, --batch, --intermediate or --station');
  const at = (option: string): string | null => {
    const text = textOf(given, option);
    return text === null ? null : instantOf(dateOf(text));
  };
  return { ...aim, from: at('from'), to: at('to') };
}
