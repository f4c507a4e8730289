/** An entry of the journal as one line for a technician: when, which, where, what, and about which unit. */
import { shortEid } from '../../core/eid.ts';
import { type FaultNote, faults } from '../../core/faults.ts';
import { type ControllerReport, type GateKind, gateText } from '../../core/gate/release.ts';
import type { JournalEntry } from '../../core/journal/entry.ts';
import type { Fact } from '../../core/operation/facts.ts';
import { localTime, type Paint } from '../screen.ts';
import { saidIn } from './statement.ts';

const SEQUENCE_WIDTH = 6;
const NEST_WIDTH = 2;
const FACT_WIDTH = 17;
const EID_WIDTH = 5;

/** Give it every entry in order: a unit is named from the fact on that identified it. */
export function shortLines(paint: Paint): (entry: Pick<JournalEntry, 'sequence' | 'at' | 'fact'>) => string {
  const eids = new Map<string, string>();
  return ({ sequence, at, fact }) => {
    if (fact.name === 'identified') eids.set(fact.visit, fact.identity.eid);
    const eid = fact.nest === null ? undefined : eids.get(fact.visit);
    if (fact.nest !== null && ENDS.has(fact.name)) eids.delete(fact.visit);
    const line = [
      paint.faint(localTime(at)),
      String(sequence).padStart(SEQUENCE_WIDTH),
      (fact.nest ?? '-').padEnd(NEST_WIDTH),
      fact.name.padEnd(FACT_WIDTH),
      (eid === undefined ? '' : shortEid(eid)).padEnd(EID_WIDTH),
      particulars(fact),
    ].join('  ');
    return ALARMS.has(fact.name) ? paint.alarm(line.trimEnd()) : line.trimEnd();
  };
}

const ENDS: ReadonlySet<string> = new Set(['released', 'diverted', 'interrupted']);
const ALARMS: ReadonlySet<string> = new Set(['held', 'reject-intent', 'interrupted']);

/** What a technician needs of a fact besides its name. */
export function particulars(fact: Fact): string {
  switch (fact.name) {
    case 'started':
      return `holdfast ${fact.version}, ${fact.authority}${weakGate(fact.gate)}`;
    case 'arrived':
      return `arrival ${fact.arrival} at ${fact.report.controller}`;
    case 'identified':
      return `chip holds ${versions(fact.identity.keyVersions)}`;
    case 'reserved':
      return reserved(fact.receipt);
    case 'intent':
      return `before ${fact.step}`;
    case 'confirmed':
      return confirmed(fact.receipt);
    case 'registered':
    case 'reject-registered':
      return `leaf ${String(saidIn(fact.receipt).leafIndex ?? '?')} of the fleet log`;
    case 'release-intent':
      return `${fact.release.lane} lane, release ${fact.release.counter}`;
    case 'released':
    case 'diverted':
      return departure(fact.report, fact.name === 'released' ? 'good' : 'reject');
    case 'reject-intent':
      return `${faultLine(fact.fault)}; judged by the ${fact.verdict === null ? 'station' : 'gateway'}`;
    case 'held':
      return faultLine(fact.fault);
    case 'interrupted':
      return interruption(fact.report);
    case 'signed-in':
      return `${String(saidIn(fact.receipt).pseudonym ?? '?')} until ${String(saidIn(fact.receipt).until ?? '?')}`;
    case 'signed-out':
      return { 'sign-out': 'by hand', 'sign-in': 'another signs in', end: 'its time is over' }[fact.by];
    case 'cut':
      return `gives up all entries up to ${fact.upTo.sequence}: the backend has them`;
    case 'clamped':
    case 'resumed':
      return '';
  }
}

/** Names a gate that is less than a gate controller: `, gate: plain-firmata (bench only)`. */
export function weakGate(gate: GateKind = 'controller'): string {
  return gate === 'controller' ? '' : `, gate: ${gateText(gate)}`;
}

/** `The card reader failed (READER_FAILED) nest: a`. */
export function faultLine({ code, context }: FaultNote): string {
  const details = Object.entries(context).map(([name, value]) => `${name}: ${String(value)}`);
  const title = Object.hasOwn(faults, code) ? faults[code].title : 'A fault that this version does not know';
  return [`${title} (${code})`, ...(details.length === 0 ? [] : [details.join('; ')])].join(' ');
}

function reserved(receipt: string): string {
  const { operation, epoch, appearance } = saidIn(receipt);
  const again = appearance === 'resume' ? ', resumed' : '';
  return `operation ${String(operation ?? '?')}, epoch ${String(epoch ?? '?')}${again}`;
}

function confirmed(receipt: string): string {
  const { keys, certificate } = saidIn(receipt) as {
    keys?: { keyVersion?: number };
    certificate?: { serial?: string; absent?: string };
  };
  const set = keys?.keyVersion === undefined ? '' : `${versions([keys.keyVersion])} proved, `;
  if (certificate?.absent !== undefined) return `${set}no certificate`;
  return `${set}certificate ${certificate?.serial ?? '?'}`;
}

function departure({ left }: ControllerReport, lane: string): string {
  return `left by the ${lane} lane${left.counter === 0 ? '' : `, release ${left.counter}`}`;
}

function interruption({ reason }: ControllerReport): string {
  return `left by no lane${reason === 'none' ? '' : ` (${reason})`}: taken by hand, or the gate closed on it`;
}

/** `key set 31`: key versions are written as on every card tool, in hexadecimal. */
function versions(list: readonly number[]): string {
  if (list.length === 0) return 'no key set';
  const shown = list.map((version) => version.toString(16).padStart(2, '0')).join(', ');
  return `key set${list.length === 1 ? '' : 's'} ${shown}`;
}
