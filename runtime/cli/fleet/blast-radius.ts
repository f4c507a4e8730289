/** `holdfast fleet blast-radius`: which units somebody had a hand in, and what is to be done about them. */
import { Fault } from '../../core/faults.ts';
import {
  BLAST_UNITS_MAX,
  type BlastAim,
  type BlastRadius,
  blastRadiusOf,
} from '../../core/history/blast-radius.ts';
import { type TraceKey, traceKeys } from '../../core/history/trace.ts';
import { planRevocationInstruction } from '../../core/messages/revocation.ts';
import { reasonNames } from '../../core/pki/crl.ts';
import { type RevocationPlan, revocationWays } from '../../core/pki/revocation-plan.ts';
import { planHashOf } from '../../core/pki/root.ts';
import type { UnitCertificateRow } from '../../core/store/revocation.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, isSet, textOf, usage } from '../command.ts';
import type { FleetView, Means } from '../means.ts';
import { oneOf, writePlan } from '../pki/given.ts';
import { socketOf } from '../program-place.ts';
import { columns, counted } from '../screen.ts';
import { momentOf } from './moment.ts';
import { databaseOptions, openFleetOf } from './place.ts';

/** Units that stand in a nest at one time: more than any plant has nests. */
const OPEN_MAX = 10_000;
/** Units that are shown without --json. */
const SHOWN_MAX = 20;

export const fleetBlastRadiusCommand: Command = {
  name: 'fleet blast-radius',
  summary: 'exactly the units that somebody had a hand in, and what is to be done about them',
  options: {
    station: { type: 'string', value: 'NAME', help: 'a station' },
    operator: { type: 'string', value: 'NAME', help: 'an operator’s pseudonym, or an authority' },
    ticket: { type: 'string', value: 'TICKET', help: 'a production order' },
    intermediate: { type: 'string', value: 'NAME', help: 'an intermediate of the certificates' },
    gateway: { type: 'string', value: 'NAME', help: 'a gateway' },
    'master-generation': { type: 'string', value: 'N', help: 'a generation of the master key' },
    software: { type: 'string', value: 'VERSION', help: 'a station’s program, as `holdfast 0.1.0`' },
    from: { type: 'string', value: 'DATE', help: 'only what happened at or after this' },
    to: { type: 'string', value: 'DATE', help: 'only what happened before this' },
    plan: {
      type: 'string',
      value: 'FILE',
      help: 'has the backend plan the revocation, for officers to approve',
    },
    reason: { type: 'string', value: 'REASON', help: `of that plan: ${reasonNames.join(', ')}` },
    way: { type: 'string', value: 'WAY', help: `of that plan: ${revocationWays.join(', ')}` },
    ...databaseOptions,
  },
  notes: [
    'A unit counts when its keys were injected, or may have been: recorded, rejected with keys on it, moved away, or',
    'at work just now. --json gives all of them; holdfast pki approve and pki revoke --execute take the plan.',
  ],
  examples: [
    'holdfast fleet blast-radius --station station-1 --from 2026-11-22T06:00:00Z --to 2026-11-22T14:00:00Z',
    'holdfast fleet blast-radius --master-generation 3 --json',
    'holdfast fleet blast-radius --operator night-shift --plan plan.json --reason keyCompromise',
  ],
  run: async (given, means) => {
    const aim = aimOf(given);
    await using fleet = await openFleetOf(given, means);
    const radius = await fleet.read((view) => radiusOf(aim, view));
    const plan = textOf(given, 'plan') === null ? null : await planned(aim, given, means);
    const hash = plan === null ? null : planHashOf(plan, means.crypto);
    if (isSet(given, 'json')) means.print(JSON.stringify({ ...radius, plan: hash }));
    else for (const line of linesOf(radius, plan, hash, means)) means.print(line);
    return ExitCode.done;
  },
};

/** @throws Fault HISTORY_TOO_LONG when more units belong to it than one plan may have */
export async function radiusOf(aim: BlastAim, view: FleetView): Promise<BlastRadius> {
  const { key, value } = aim;
  const [traces, found, open, fallen] = await Promise.all([
    view.tracesBy(key, value, aim, BLAST_UNITS_MAX + 1),
    view.certificatesTraced(key, value, aim, BLAST_UNITS_MAX + 1),
    view.openOperations(OPEN_MAX),
    view.revokedIssuers(),
  ]);
  if (traces.length > BLAST_UNITS_MAX || found.length > BLAST_UNITS_MAX || open.length >= OPEN_MAX)
    throw new Fault('HISTORY_TOO_LONG', { [key]: value, unitsMax: BLAST_UNITS_MAX });
  const certificates: readonly UnitCertificateRow[] = found;
  const issuers = [...new Set(certificates.map(({ issuer }) => issuer))];
  const [revoked, counts] = await Promise.all([
    view.revocationsAmong(certificates.map(({ serial }) => serial)),
    Promise.all(issuers.map((issuer) => view.countCertificatesOf(issuer))),
  ]);
  return blastRadiusOf({
    aim,
    traces,
    open,
    certificates,
    revoked: new Set(revoked.map(({ serial }) => serial)),
    fallen: new Set(fallen.map(({ issuer }) => issuer)),
    issued: new Map(issuers.map((issuer, i) => [issuer, counts[i] ?? 0])),
  });
}

/** @throws Fault USAGE unless exactly one thing is aimed at */
function aimOf(given: Arguments): BlastAim {
  const aims = traceKeys.flatMap((key): { readonly key: TraceKey; readonly value: string }[] => {
    const value = textOf(given, key === 'generation' ? 'master-generation' : key);
    return value === null ? [] : [{ key, value }];
  });
  const [aim, ...more] = aims;
  if (aim === undefined || more.length > 0)
    throw usage(
      'say whom, and one only: --station, --operator, --ticket, --intermediate, --gateway, --master-generation or --software',
    );
  if (aim.key === 'generation' && !/^\d{1,5}$/.test(aim.value))
    throw usage('--master-generation takes the number of a generation');
  return { ...aim, from: momentOf(given, 'from'), to: momentOf(given, 'to') };
}

/** The backend makes the plan, with the quorum of its settings, and executes nothing else than what it says. */
async function planned(aim: BlastAim, given: Arguments, means: Means): Promise<RevocationPlan> {
  const { key: kind, value, from, to } = aim;
  const plan = await means.instruct(socketOf('backend', given, means), planRevocationInstruction, {
    aim: { kind, value, from, to },
    way: oneOf(given, 'way', revocationWays, 'auto'),
    reason: oneOf(given, 'reason', reasonNames, 'keyCompromise'),
  });
  await writePlan(textOf(given, 'plan') ?? '', plan, means);
  return plan;
}

function linesOf(
  radius: BlastRadius,
  plan: RevocationPlan | null,
  hash: string | null,
  { paint }: Means,
): readonly string[] {
  const { aim, units, counts, revoke, revokedBefore, issuers, rotate, undecided } = radius;
  const shown = units.slice(0, SHOWN_MAX);
  const more = units.length - shown.length;
  const rows = shown.map(({ eid, how, at, leafIndex }) => [
    `  ${eid}`,
    how,
    at,
    leafIndex === null ? 'no leaf yet' : `leaf ${leafIndex}`,
  ]);
  const approvals = plan?.approvals;
  return [
    paint.strong(`${aim.key} ${aim.value}, ${aim.from ?? 'from the beginning'} to ${aim.to ?? 'now'}`),
    `  ${counted(units.length, 'unit')}: ${counts.recorded} recorded, ${counts.rejected} rejected, ${counts.begun} begun`,
    ...(undecided === 0 ? [] : [`  ${undecided} at work of which nobody can say it yet`]),
    ...columns(rows),
    ...(more > 0 ? [`  and ${more} more: --json names them`] : []),
    paint.strong('Revoke'),
    `  ${counted(revoke.length, 'certificate')}; ${revokedBefore} are dead already`,
    ...issuers.map(
      ({ name, aimed, issued, collateral }) =>
        `  with intermediate ${name}: ${aimed} of ${issued} issued, ${collateral} would die though not aimed at`,
    ),
    paint.strong('Rotate'),
    ...rotate.map(
      ({ generation, keyVersion, units: sets }) =>
        `  ${counted(sets, 'key set')} of generation ${generation ?? '?'}, version ${keyVersion?.toString(16) ?? '?'}`,
    ),
    paint.strong('Approvals'),
    approvals === undefined
      ? '  --plan FILE has the backend say whose'
      : `  ${approvals.required} of ${approvals.officers.join(', ')} for the plan ${hash}`,
  ];
}
