/** `holdfast fleet show`: everything the fleet knows of one unit. */
import { toHex, toText } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import type {
  AppearanceRow,
  ConfirmationRow,
  CustodyRow,
  LeafRow,
  OperationRow,
  RecordRow,
  RejectionRow,
  ReleaseRow,
} from '../../core/store/fleet.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet } from '../command.ts';
import { shortLines } from '../journal/short.ts';
import { saidIn } from '../journal/statement.ts';
import type { FleetView, Means } from '../means.ts';
import { columns } from '../screen.ts';
import { eidOf } from './eid.ts';
import { databaseOptions, openFleetOf } from './place.ts';
import { recordLines } from './record-text.ts';
import { type Revoked, revokedOf, revokedRows } from './revoked.ts';
import { type StoryEvent, storyOf } from './story.ts';

export const fleetShowCommand: Command = {
  name: 'fleet show',
  summary: 'everything the fleet knows of one unit: record, receipts, custody, log, events',
  options: { eid: { type: 'string', value: 'EID', help: 'the unit, by its 32 digits' }, ...databaseOptions },
  examples: ['holdfast fleet show --dir var/line --eid 89049032000000000000000000000123'],
  run: async (given, means) => {
    const eid = eidOf(given);
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
/** Appearances shown: somebody may carry a unit about for a long time. */
const APPEARANCES_MAX = 200;

interface Unit {
  readonly eid: string;
  readonly operation: OperationRow | null;
  readonly record: RecordRow | null;
  readonly confirmations: readonly ConfirmationRow[];
  readonly custody: readonly CustodyRow[];
  readonly release: ReleaseRow | null;
  readonly rejections: readonly RejectionRow[];
  readonly appearances: readonly AppearanceRow[];
  readonly revoked: Revoked | null;
  readonly leaf: LeafRow | null;
  readonly logSize: number;
  readonly events: readonly StoryEvent[];
}

async function unitOf(eid: string, operation: OperationRow | null, view: FleetView): Promise<Unit | null> {
  const record = await view.recordByEid(eid);
  const rejections = (await view.listRejections(REJECTIONS_MAX)).filter((row) => row.eid === eid);
  const appearances = await view.appearancesOf(eid, operation?.operation ?? null, APPEARANCES_MAX);
  if (operation === null && record === null && rejections.length + appearances.length === 0) return null;
  const id = operation?.operation ?? record?.operation ?? '';
  const [confirmations, custody, release, leaf, head, events, revoked] = await Promise.all([
    view.confirmationsOf(id),
    view.custodyOf(id),
    view.lastRelease(id),
    view.leafByKey(`record/${id}`),
    view.readHead(),
    storyOf(eid, view),
    revokedOf(record, view),
  ]);
  return {
    eid,
    operation,
    record,
    confirmations,
    custody,
    release,
    rejections,
    appearances,
    revoked,
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
  const { record, leaf, rejections, appearances } = unit;
  return {
    ...unit,
    record: record === null ? null : JSON.parse(toText(record.record)),
    recordHash: record?.recordHash ?? null,
    transitSeal: transitSealOf(unit),
    rejections: rejections.map(({ entry, ...row }) => ({ ...row, entry: JSON.parse(toText(entry)) })),
    appearances: appearances.map(({ entry, ...row }) => ({ ...row, entry: JSON.parse(toText(entry)) })),
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
    ...section('Appearances', unit.appearances.map(appearanceRow)),
    ...section('Fleet log', logRows(unit)),
    ...(unit.events.length === 0
      ? [paint.faint('No events of a station name this unit yet.')]
      : [
          paint.strong('Events'),
          ...unit.events.map((event) => `  ${event.station}  ${short(event.entry)}${wrongClock(event)}`),
        ]),
  ];
}

function stateRows(unit: Unit): readonly (readonly string[])[] {
  const { eid, operation, record, release } = unit;
  if (operation === null)
    return [
      ['EID', eid],
      ['state', record === null ? 'never proved: known by a claim alone' : 'recorded'],
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
    ...sealRows(transitSealOf(unit)),
    ...revokedRows(unit.revoked),
    ...(release === null
      ? []
      : [['release', `${release.lane} lane, counter ${release.counter} of ${release.controller}`]]),
  ];
}

/** What is known of the time of an event where its station's clock is no help. */
function wrongClock({ stationClock, notBefore, receivedAt }: StoryEvent): string {
  if (stationClock !== 'wrong') return '';
  return `  (its clock is wrong: ${notBefore === null ? '' : `not before ${notBefore}, `}not after ${receivedAt})`;
}

interface TransitSeal {
  readonly epoch: number;
  /** Of the fleet's key set; null where the chip does not say. */
  readonly sequenceCounter: number | null;
}

/** A resume opens new sessions: the seal is what the last confirmation says, whatever stands in the record. */
function transitSealOf({ confirmations }: Unit): TransitSeal | null {
  const last = confirmations.at(-1);
  if (last === undefined) return null;
  const { card } = saidIn(last.jws) as { card?: { sequenceCounter?: number | null } };
  return { epoch: last.epoch, sequenceCounter: card?.sequenceCounter ?? null };
}

function sealRows(seal: TransitSeal | null): readonly (readonly string[])[] {
  if (seal === null) return [];
  const { epoch, sequenceCounter } = seal;
  const counter =
    sequenceCounter === null ? 'none: the chip shows no counter' : `sequence counter ${sequenceCounter}`;
  return [['transit seal', `${counter}, confirmed in epoch ${epoch}`]];
}

/** `moved  at station-2, nest a  known at station-1, nest a`. */
function appearanceRow({ appearance, faultCode, at, entry, leafIndex }: AppearanceRow): readonly string[] {
  const { station, nest, known } = JSON.parse(toText(entry)) as {
    station: string;
    nest: string;
    known: { station: string; nest: string };
  };
  return [
    appearance,
    at,
    `at ${station}, nest ${nest}`,
    `known at ${known.station}, nest ${known.nest}`,
    faultCode ?? 'resumed',
    `leaf ${leafIndex}`,
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
