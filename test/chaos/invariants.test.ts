/** The judgement of a round can fail: each thing that must not be is found in evidence that shows it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import type { Chip, Evidence, Fleet } from '../../scripts/chaos/evidence.ts';
import { judge } from '../../scripts/chaos/invariants.ts';
import {
  CERTIFICATE,
  FOREIGN,
  gateLine,
  KEY,
  PRESENT,
  passage,
  RELEASED,
  soundEvidence,
} from './evidence.ts';

const sound = soundEvidence;
const fleet = (change: Partial<Fleet>): Partial<Evidence> => ({ fleet: { ...sound.fleet, ...change } });
const [record] = sound.fleet.records;
const [release] = sound.fleet.releases;
assert.ok(record && release);

function chip(unit: number, change: Partial<Chip>): Partial<Evidence> {
  const eid = eidOfIndex(unit);
  const known = sound.chips.get(eid);
  assert.ok(known);
  return { chips: new Map([...sound.chips, [eid, { ...known, ...change }]]) };
}

// biome-ignore format: this is a table
const wrongs: readonly (readonly [string, Partial<Evidence>, RegExp])[] = [
  ['a unit that leaves twice', { gate: [...sound.gate, gateLine('LEFT', RELEASED, 'good')] }, /left more than once/],
  ['a gate that opens twice for an arrival', { gate: [...sound.gate, gateLine('OPENED', RELEASED, 'good')] }, /the gate opened twice/],
  ['a departure by a gate nobody opened', { gate: sound.gate.filter(({ event }) => event !== 'OPENED') }, /nobody had opened/],
  ['a foreign chip in the good lane', { gate: [...sound.gate.filter(({ unit }) => unit !== FOREIGN), ...passage(FOREIGN, 'good')] }, /keys are not ours/],
  ['a release without a record', fleet({ records: [] }), /released without a record/],
  ['a release for another operation', fleet({ releases: [{ ...release, operation: 'three' }] }), /another unit or arrival/],
  ['a release for another arrival', fleet({ releases: [{ ...release, arrival: 11 }] }), /another unit or arrival/],
  ['a release of the reject lane', fleet({ releases: [{ ...release, lane: 'reject' }] }), /another unit or arrival/],
  ['a release without the confirmation of its epoch', fleet({ confirmations: [{ operation: 'one', epoch: 2 }] }), /confirmation of its epoch/],
  ['a leaf that names another record', fleet({ leaves: [{ index: 0, entry: '{}' }] }), /leaf does not name/],
  ['a record that was changed', fleet({ records: [{ ...record, record: record.record.replace('"eid"', '"eid" ') }] }), /leaf does not name/],
  ['a transport key that was left', chip(RELEASED, { keyVersions: [0x30, 0x31] }), /other key sets/],
  ['a chip that was not secured', chip(RELEASED, { lifeCycle: 0x07 }), /not secured/],
  ['another certificate in the chip', chip(RELEASED, { objects: '3082' }), /another certificate than its record/],
  ['a certificate for another key', chip(RELEASED, { publicKeys: [KEY.replaceAll('ab', 'cd')] }), /does not hold/],
  ['a certificate that the ledger does not know', { certificates: [{ serial: '01', eid: eidOfIndex(RELEASED), der: '00' }] }, /ledger does not know/],
  ['two certificates for one unit', { certificates: [...sound.certificates, { serial: '02', eid: eidOfIndex(RELEASED), der: CERTIFICATE }] }, /given 2 certificates/],
  ['a good unit that was rejected', { gate: [...sound.gate, ...passage(4, 'reject')] }, /is good and was rejected/],
  ['a reject without its record', fleet({ rejections: [] }), /without a reject record/],
  ['a chip with our keys that nobody knows', fleet({ operations: sound.fleet.operations.slice(0, 1), taken: 2 }), /no operation/],
  ['a chip with our keys that is nowhere', { present: null }, /is nowhere/],
  ['a record without a unit', fleet({ records: [record, { ...record, eid: eidOfIndex(9) }] }), /a record and no unit/],
  ['a unit of the quota that nobody has', fleet({ taken: 4 }), /4 units of the quota are taken for 3/],
  ['a journal that does not verify', { journal: { refusal: 'broken', entries: [] } }, /journal does not verify: broken/],
  ['an entry that only the backend has', fleet({ events: [...sound.fleet.events, { sequence: 2, hash: 'cc' }] }), /not the journal's/],
  ['an entry that the backend has otherwise', fleet({ events: [{ sequence: 0, hash: 'ff' }, { sequence: 1, hash: 'bb' }] }), /not the journal's/],
  ['an entry that never arrived', fleet({ events: sound.fleet.events.slice(0, 1) }), /never reached the backend/],
  ['a log that does not verify', { auditRefusal: 'forked' }, /log does not verify: forked/],
  ['a secret in a log', { secrets: ['a key in a log'] }, /a secret is readable/],
];

describe('the judgement of a round', () => {
  it('finds nothing where all is as it should be', () => {
    assert.deepEqual(judge(sound, new Set([FOREIGN])), []);
    assert.equal(sound.present?.unit, PRESENT);
  });

  for (const [what, change, finding] of wrongs)
    it(`finds ${what}`, () => {
      const found = judge({ ...sound, ...change }, new Set([FOREIGN]));
      assert.ok(
        found.some((problem) => finding.test(problem)),
        `found only: ${found.join('; ')}`,
      );
    });
});
