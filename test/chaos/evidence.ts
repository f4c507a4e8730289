/** Evidence of a small plant in which all is as it should be: a unit released, one rejected, one in the nest. */
import { createHash } from 'node:crypto';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import type { Chip, Evidence } from '../../scripts/chaos/evidence.ts';
import type { GateLine } from '../../scripts/laboratory/fixture-world.ts';

export const RELEASED = 1;
export const FOREIGN = 2;
export const PRESENT = 3;

export const KEY = `04${'ab'.repeat(64)}`;
export const CERTIFICATE = `3082${KEY}3044`;

const record = JSON.stringify({
  eid: eidOfIndex(RELEASED),
  certificate: { der: Buffer.from(CERTIFICATE, 'hex').toString('base64') },
});
const recordHash = createHash('sha256').update(record).digest('hex');

/** A unit's whole way through the gate. */
export function passage(unit: number, lane: 'good' | 'reject'): readonly GateLine[] {
  return [gateLine('ARRIVED', unit), gateLine('OPENED', unit, lane), gateLine('LEFT', unit, lane)];
}

export function gateLine(
  event: GateLine['event'],
  unit: number,
  lane: 'good' | 'reject' | null = null,
): GateLine {
  const counter = lane === null ? 0 : unit;
  return { at: 0, event, unit, arrival: 10 * unit, lane, counter, reason: 'none', motionMs: 0 };
}

const ours: Chip = { keyVersions: [0x31], lifeCycle: 0x0f, objects: CERTIFICATE, publicKeys: [KEY] };
const theirs: Chip = { keyVersions: [0x30], lifeCycle: 0x01, objects: '', publicKeys: [] };
const events = [
  { sequence: 0, hash: 'aa' },
  { sequence: 1, hash: 'bb' },
];

export const soundEvidence: Evidence = {
  gate: [...passage(RELEASED, 'good'), ...passage(FOREIGN, 'reject'), gateLine('ARRIVED', PRESENT)],
  present: { unit: PRESENT, arrival: 10 * PRESENT },
  chips: new Map([
    [eidOfIndex(RELEASED), ours],
    [eidOfIndex(FOREIGN), theirs],
    [eidOfIndex(PRESENT), ours],
  ]),
  fleet: {
    operations: [
      { operation: 'one', eid: eidOfIndex(RELEASED) },
      { operation: 'three', eid: eidOfIndex(PRESENT) },
    ],
    disowned: 1,
    taken: 3,
    records: [
      { operation: 'one', eid: eidOfIndex(RELEASED), record, record_hash: recordHash, leaf_index: 0 },
    ],
    confirmations: [{ operation: 'one', epoch: 1 }],
    releases: [
      { controller: 'gate-1', counter: RELEASED, lane: 'good', operation: 'one', epoch: 1, arrival: 10 },
    ],
    rejections: [{ operation: 'two', eid: eidOfIndex(FOREIGN) }],
    leaves: [{ index: 0, entry: `{"recordHash":"${recordHash}"}` }],
    events,
  },
  certificates: [{ serial: '01', eid: eidOfIndex(RELEASED), der: CERTIFICATE }],
  journal: { refusal: null, entries: events },
  auditRefusal: null,
  secrets: [],
};
