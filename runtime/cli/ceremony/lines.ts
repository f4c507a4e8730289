/** A ceremony record as people read it. */
import { keyOf } from '../../core/ceremony/plan.ts';
import type { VerifiedRecord } from '../../core/ceremony/verification.ts';
import { hashOf } from '../../core/messages/envelope.ts';
import type { Means } from '../means.ts';
import { columns } from '../screen.ts';

export function recordLines(
  { record, checks }: VerifiedRecord,
  jws: string,
  { paint, crypto }: Pick<Means, 'paint' | 'crypto'>,
): readonly string[] {
  const { plan, token, conductor, startedAt, endedAt } = record;
  const head = [
    ['ceremony', plan.title],
    ['plan', record.planHash],
    ['record', hashOf(jws, crypto)],
    ['token', `${token.label}, serial number ${token.serial}, ${token.module}`],
    ['class', token.softwareToken ? 'SOFTWARE' : 'hardware'],
    ['conducted', `by ${conductor}, ${startedAt} to ${endedAt}`],
  ];
  const steps = record.steps.map(({ step, did, key, file, approvals }, at) => {
    const planned = plan.steps[at];
    const name = planned === undefined ? '' : `${planned.do} ${keyOf(planned) ?? file?.file ?? ''}`;
    const made =
      key === null ? '' : `${key.origin}${key.checkValue === null ? '' : `, check value ${key.checkValue}`}`;
    const to = file?.carriedTo?.map(({ recipient }) => recipient).join(' and ');
    const carried = to === undefined ? '' : `, carried to ${to}`;
    const value =
      file === null || file.checkValue === null ? made : `check value ${file.checkValue}${carried}`;
    return [String(step), name, did, value, approvals.map(({ officer }) => officer).join(', ')];
  });
  return [
    ...columns(head),
    '',
    ...columns([['step', '', 'did', 'made', 'approved by'], ...steps]),
    '',
    'What the token enforces:',
    ...record.enforcedByToken.map((line) => `  ${line}`),
    'What only our code does:',
    ...record.enforcedByCodeAlone.map((line) => `  ${line}`),
    '',
    paint.strong(`VERIFIED: ${checks.length} checks`),
  ];
}
