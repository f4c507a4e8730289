/** `holdfast fleet show`: everything the fleet knows of one unit. */
import { toHex, toText } from '../../core/bytes.ts';
import { isEid } from '../../core/eid.ts';
import { Fault } from '../../core/faults.ts';
import type {
  ConfirmationRow,
  CustodyRow,
  LeafRow,
  OperationRow,
  RecordRow,
  RejectionRow,
  ReleaseRow,
} from '../../core/store/fleet.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, textOf, usage } from '../command.ts';
import { shortLines } from '../journal/short.ts';
import { saidIn } from '../journal/statement.ts';
import type { FleetView, Means } from '../means.ts';
import { columns } from '../screen.ts';
import { databaseOptions, openFleetOf } from './place.ts';
import { recordLines } from './record-text.ts';
import { type StoryEvent, storyOf } from './story.ts';

export const fleetShowCommand: Command = {
  name: 'fleet show',
  summary: 'everything the fleet knows of one unit: record, receipts, custody, log, events',
  options: { eid: { type: 'string', value: 'EID', help: 'the unit, by its 32 digits' }, ...databaseOptions },
  examples: ['holdfast fleet show --dir var/line --eid 89049032000000000000000000000123'],
  run: async (given, means) => {
    const eid = textOf(given, 'eid');
    if (eid === null) throw usage('--eid is missing; holdfast fleet list shows the units');
    if (!isEid(eid)) throw usage(`--eid takes an EID: 32 digits with right check digits, not ${eid}`);
    await using fleet = await openFleetOf(given, means);
    const operation = await fleet.operation(eid);
    const unit = await fleet.read((view) => unitOf(eid, operation, view));
    if (isSet(given, 'json')) means.print(JSON.stringify(unit === null ? null : jsonOf(unit)));
    if (unit === null) {
      means.talk(`The fleet does not know a unit with the EID ${eid}.`);
      return ExitCode.fault;
    }
    demandUnchanged(unit, means);
    if (!isSet(given, 'json')) for (const line of linesOf(unit, means)) means.print(line);
    return ExitCode.done;
  },
};

/** Rejections looked through: the store finds them by visit alone. */
const REJECTIONS_MAX = 10_000;

interface Unit {
  readonly eid: string;
  readonly operation: OperationRow | null;
  readonly record: RecordRow | null;
  readonly confirmations: readonly ConfirmationRow[];
  readonly custody: readonly CustodyRow[];
  readonly release: ReleaseRow | null;
  readonly rejections: readonly RejectionRow[];
  readonly leaf: LeafRow | null;
  readonly logSize: number;
  readonly events: readonly StoryEvent[];
}

async function unitOf(eid: string, operation: OperationRow | null, view: FleetView): Promise<Unit | null> {
  const record = await view.recordByEid(eid);
  const rejections = (await view.listRejections(REJECTIONS_MAX)).filter((row) => row.eid === eid);
  if (operation === null && record === null && rejections.length === 0) return null;
  const id = operation?.operation ?? record?.operation ?? '';
  const [confirmations, custody, release, leaf, head, events] = await Promise.all([
    view.confirmationsOf(id),
    view.custodyOf(id),
    view.lastRelease(id),
    view.leafByKey(`record/${id}`),
    view.readHead(),
    storyOf(eid, view),
  ]);
  return {
    eid,
    operation,
    record,
    confirmations,
    custody,
    release,
    rejections,
    leaf,
    logSize: head.size,
    events,
  };
}

/** A record that is not the one in the log is not shown as if it were. @throws Fault LOG_FORKED */
function demandUnchanged({ record, leaf }: Unit, { crypto }: Means): void {
  if (record === null) return;
  const hash = toHex(crypto.sha256(record.record));
  if (hash !== record.recordHash || leaf === null || !toText(leaf.entry).includes(hash))
    throw new Fault('LOG_FORKED', {
      operation: record.operation,
      why: 'the record is not the one in the log',
    });
}

function jsonOf(unit: Unit): object {
  const { record, leaf, rejections } = unit;
  return {
    ...unit,
    record: record === null ? null : JSON.parse(toText(record.record)),
    recordHash: record?.recordHash ?? null,
    rejections: rejections.map(({ entry, ...row }) => ({ ...row, entry: JSON.parse(toText(entry)) })),
    leaf:
      leaf === null
        ? null
        : { index: leaf.index, hash: toHex(leaf.hash), entry: JSON.parse(toText(leaf.entry)) },
  };
}

function linesOf(unit: Unit, { paint }: Means): readonly string[] {
  const { record, rejections } = unit;
  const section = (heading: string, rows: readonly (readonly string[])[]): readonly string[] =>
    rows.length === 0
      ? []
      : [paint.strong(heading), ...columns(rows.map(([first = '', ...rest]) => [`  ${first}`, ...rest])), ''];
  const short = shortLines(paint);
  return [
    ...section('State', stateRows(unit)),
    ...(record === null ? [] : recordLines(JSON.parse(toText(record.record)), paint)),
    ...section('Confirmations', unit.confirmations.map(confirmationRow)),
    ...section(
      'Custody',
      unit.custody.map((row) => [row.holder, kindOf(row), `epoch ${row.epoch}`, row.sha256]),
    ),
    ...section(
      'Rejections',
      rejections.map((row) => [row.faultCode, `visit ${row.visit}`, `leaf ${row.leafIndex}`]),
    ),
    ...section('Fleet log', logRows(unit)),
    ...(unit.events.length === 0
      ? [paint.faint('No events of a station name this unit yet.')]
      : [
          paint.strong('Events'),
          ...unit.events.map(({ station, entry }) => `  ${station}  ${short(entry)}`),
        ]),
  ];
}

function stateRows({ eid, operation, record, release }: Unit): readonly (readonly string[])[] {
  if (operation === null)
    return [
      ['EID', eid],
      ['state', record === null ? 'rejected before it was reserved' : 'recorded'],
    ];
  const { state, station, nest, epoch, ticket, reservedAt, attemptedAt } = operation;
  return [
    ['EID', eid],
    ['state', `${state}: ${MEANING[state]}`],
    ['operation', operation.operation],
    ['reserved', `${reservedAt} under ticket ${ticket}`],
    ...(epoch === 1 ? [] : [['resumed', `${attemptedAt}, epoch ${epoch}`]]),
    ['last at', `${station}, nest ${nest}`],
    ...(record === null ? [['record', 'none yet']] : []),
    ...(release === null
      ? []
      : [['release', `${release.lane} lane, counter ${release.counter} of ${release.controller}`]]),
  ];
}

const MEANING: Readonly<Record<OperationRow['state'], string>> = {
  reserved: 'its keys may be on the chip, its record is not made yet',
  recorded: 'record, confirmation and log leaf are committed; it has not been seen to leave',
  released: 'it has left by the good lane',
  rejected: 'judged bad; it has not been seen to leave',
  diverted: 'judged bad; it has left by the reject lane',
};

function confirmationRow({ epoch, jws, sha256, leafIndex }: ConfirmationRow): readonly string[] {
  const { gateway, confirmedAt } = saidIn(jws);
  return [`epoch ${epoch}`, String(confirmedAt ?? '?'), String(gateway ?? '?'), `leaf ${leafIndex}`, sha256];
}

/** `ticket`, from the statement's type `holdfast/ticket+v1`. */
function kindOf({ statement }: CustodyRow): string {
  const { typ } = saidIn(`.${statement.split('.')[0] ?? ''}`);
  return typeof typ === 'string' ? typ.replace(/^holdfast\//, '').replace(/\+v\d+$/, '') : 'statement';
}

function logRows({ leaf, logSize, record }: Unit): readonly (readonly string[])[] {
  if (leaf === null) return [];
  return [
    ['place', `leaf ${leaf.index} of ${logSize}`],
    ['leaf hash', toHex(leaf.hash)],
    ['record hash', record?.recordHash ?? 'none'],
    ['proof', 'holdfast audit verify checks its inclusion and the signature of the log'],
  ];
}
