/** A plan of revocation for people: who dies, who dies besides, what it costs, when it counts, who must agree. */
import type { RevocationPlan } from '../../core/pki/revocation-plan.ts';
import { columns, type Paint } from '../screen.ts';

/** Units shown; the plan itself has them all. */
const UNITS_SHOWN = 10;

export function planLines(plan: RevocationPlan, hash: string, paint: Paint): readonly string[] {
  const { aim, intermediates, certificates, collateral, lists, effect, approvals } = plan;
  const window = [aim.from === null ? '' : ` from ${aim.from}`, aim.to === null ? '' : ` to ${aim.to}`].join(
    '',
  );
  const dies = certificates.length + intermediates.reduce((units, one) => units + one.units, 0);
  const section = (heading: string, rows: readonly (readonly string[])[]): readonly string[] =>
    rows.length === 0
      ? []
      : [paint.strong(heading), ...columns(rows.map(([first = '', ...rest]) => [`  ${first}`, ...rest])), ''];
  return [
    ...section('Plan', [
      ['aim', `${aim.kind} ${aim.value}${window}`],
      ['reason', plan.reason],
      ['hash', hash],
    ]),
    ...section('Who dies', [
      ['units', `${dies}, of ${plan.aimedAt} aimed at; ${plan.revokedBefore} were revoked before`],
      ...intermediates.map(({ name, units }) => [`intermediate ${name}`, `as a whole, with ${units} units`]),
      ...certificates
        .slice(0, UNITS_SHOWN)
        .map((one) => [one.eid, `${one.issuer}, batch ${one.batch}, ${one.serial}`]),
      ...(certificates.length > UNITS_SHOWN ? [[`and ${certificates.length - UNITS_SHOWN} more`, '']] : []),
    ]),
    ...section('Who dies though not aimed at', [
      ['units', String(collateral.units)],
      ...collateral.named.slice(0, UNITS_SHOWN).map((one) => [one.eid, `${one.issuer}, batch ${one.batch}`]),
    ]),
    ...section(
      'Lists',
      lists.map((one) => [
        one.issuer,
        `${one.entriesBefore} to ${one.entriesAfter} certificates, about ${one.bytesBefore} to ${one.bytesAfter} bytes`,
      ]),
    ),
    ...section('When it counts', [
      ['our validators', effect.ourValidators],
      ['all others', effect.standardVerifiers],
      ...(effect.needsRoot
        ? [['the root', 'must sign a list: holdfast pki root crl, drilled by holdfast pki drill']]
        : []),
    ]),
    ...section('Who must agree', [
      ['officers', `${approvals.required} of ${approvals.officers.join(', ')}`],
      ['how', 'holdfast pki approve PLAN --officer NAME --key FILE --reason TEXT --out FILE'],
    ]),
  ];
}
