/** A station's state as one block of a screen: in sentences, the abnormal marked, the remedy beside the fault. */
import { shortEid } from '../../core/eid.ts';
import { faultText } from '../../core/fault-text.ts';
import { type FaultNote, faults } from '../../core/faults.ts';
import { resumption } from '../../core/operation/deadlines.ts';
import type { State } from '../../core/operation/transitions.ts';
import { faultLine, weakGate } from '../journal/short.ts';
import { ago, columns, counted, localSecond, type Paint } from '../screen.ts';
import type { NestState } from './nest-state.ts';
import type { StationState } from './station-state.ts';

/** What goes on in each state, in words. */
const SENTENCES: Readonly<Record<State, string>> = {
  vacant: 'empty, waiting for a unit',
  clamping: 'closing the clamp',
  identifying: 'reading the chip',
  reserving: 'asking the backend for a reservation',
  personalizing: 'the gateway works on the chip',
  registering: 'asking the backend for the registration',
  judging: 'checking the receipts',
  releasing: 'opening the gate',
  rejecting: 'asking the backend for the reject receipt',
  diverting: 'opening the reject lane',
  held: 'HELD',
  'reject-held': 'HELD on its way to the reject lane',
};

export function stationLines(station: StationState, nowMs: number, paint: Paint): readonly string[] {
  return [
    `${paint.strong(station.name)}  ${runningText(station, paint)}${startedText(station, nowMs, paint)}`,
    ...(station.fault === null
      ? []
      : faultText(station.fault)
          .split('\n')
          .map((line) => `  ${paint.alarm(line)}`)),
    ...station.nests.flatMap((nest) => nestLines(nest, station, nowMs, paint)),
    ...(station.last.length === 0
      ? ['  nothing in the journal yet']
      : [
          `  last of ${counted(station.entries, 'entry', 'entries')}:`,
          ...station.last.map(({ line }) => `    ${line}`),
        ]),
  ];
}

/** Whether a unit waits for a person, or for the station to start again. */
export function isStuck(nest: NestState, running: boolean | null): boolean {
  return isHeld(nest.state) || (nest.unit !== null && running !== true);
}

function isHeld(state: State): boolean {
  return state === 'held' || state === 'reject-held';
}

function runningText({ running }: StationState, paint: Paint): string {
  if (running === null) return paint.alarm('state unknown');
  return running ? 'running' : paint.alarm('not running');
}

function startedText({ started }: StationState, nowMs: number, paint: Paint): string {
  if (started === null) return '';
  const { atMs, version, authority, gate } = started;
  const weak = weakGate(gate);
  return `; last started ${localSecond(atMs)} (${ago(atMs, nowMs)}), holdfast ${version}, ${authority}${weak === '' ? '' : paint.alarm(weak)}`;
}

function nestLines(
  nest: NestState,
  { running }: StationState,
  nowMs: number,
  paint: Paint,
): readonly string[] {
  const { unit, sinceMs, counters } = nest;
  const sentence = SENTENCES[nest.state];
  const since = sinceMs === null ? '' : `, since ${localSecond(sinceMs)} (${ago(sinceMs, nowMs)})`;
  const rows = [
    ...(unit === null ? [] : [['unit', unitText(unit, nowMs)]]),
    ...(nest.held === null ? [] : holdRows(nest.held, nowMs)),
    ...(unit !== null && running === false
      ? [['station', 'it does not run: leave the unit in the fixture and start it; it goes on by itself']]
      : []),
    [
      'counters',
      `${counters.consumed} came: ${counters.processed} released, ${counters.defective} rejected, ` +
        `${counters.interrupted} interrupted, ${unit === null ? 0 : 1} in the nest; held ${times(counters.holds)}, ` +
        `resumed ${times(counters.resumed)}`,
    ],
  ];
  const head = `  nest ${nest.nest}: ${sentence}${since}`;
  return [
    isStuck(nest, running) ? paint.alarm(head) : head,
    ...columns(rows.map(([label = '', text = '']) => [`    ${label}`, text])),
  ];
}

function unitText(
  { eid, arrivedMs, operation, epoch }: NonNullable<NestState['unit']>,
  nowMs: number,
): string {
  const name = eid === null ? 'not identified yet' : shortEid(eid);
  const work = operation === null ? '' : `, operation ${operation} epoch ${epoch ?? '?'}`;
  return `${name}, came ${localSecond(arrivedMs)} (${ago(arrivedMs, nowMs)})${work}`;
}

function holdRows(held: NonNullable<NestState['held']>, nowMs: number): readonly (readonly string[])[] {
  const again = held.holds === 1 ? '' : ` ${held.holds} times`;
  return [
    ['reason', faultLine(held.fault)],
    ['cause', texts(held.fault).cause],
    ['remedy', texts(held.fault).remedy],
    ['held', `since ${localSecond(held.firstMs)} (${ago(held.firstMs, nowMs)})${again}; ${next(held.fault)}`],
  ];
}

function next(fault: FaultNote): string {
  const { disposition } = texts(fault);
  return disposition === 'retry'
    ? 'tried again by itself'
    : `a person must act; it is tried again every ${resumption.maxMs / 1000} s`;
}

/** A journal may come from a newer version, with codes that this one does not know. */
function texts({ code }: FaultNote): { cause: string; remedy: string; disposition: string } {
  return Object.hasOwn(faults, code)
    ? faults[code]
    : {
        cause: 'unknown to this version',
        remedy: 'Use the version that wrote this journal.',
        disposition: 'hold',
      };
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
