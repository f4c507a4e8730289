import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { confirmation } from '../../runtime/core/messages/receipts.ts';
import { buildRecord, type RecordSources } from '../../runtime/core/record/build.ts';
import { identityRecord, notYet } from '../../runtime/core/record/identity-record.ts';
import { confirmed, hashOfText, ticket } from './samples.ts';

const sources: RecordSources = {
  gate: 'controller',
  confirmation: confirmation.payload.parse(confirmed),
  confirmationHash: hashOfText('confirmation'),
  ticket,
  custody: ['ticket', 'reservation', 'confirmation'].map((statement) => ({
    holder: 'somebody',
    statement,
    sha256: hashOfText(statement),
  })),
  operator: 'unattended under authority of the tests',
  controller: 'gate-1',
  rootName: 'Test root',
  holds: [{ code: 'CARD_ABSENT', context: { reader: 'one' } }],
  stationSoftware: 'holdfast 0.1.0',
  beacon: { at: '2026-11-22T11:59:58.000Z', sha256: hashOfText('reservation') },
  recordedAt: '2026-11-22T12:00:01.000Z',
};
const record = buildRecord(sources);

/** Every value of the record with its path. */
function* leaves(value: unknown, path = ''): Generator<readonly [path: string, value: unknown]> {
  if (value === null || typeof value !== 'object') yield [path, value];
  else for (const [key, part] of Object.entries(value)) yield* leaves(part, `${path}/${key}`);
}

describe('the identity record', () => {
  it('fits its schema as it is built, also after a way through its stored text', () => {
    assert.deepEqual(identityRecord.parse(record), record);
    assert.deepEqual(identityRecord.parse(JSON.parse(canonicalJson(record))), record);
  });

  it('has no field that is empty, and none that the schema does not know', () => {
    for (const [path, value] of leaves(record)) assert.notEqual(value, '', path);
    for (const extra of [{ more: 1 }, { silicon: { ...record.silicon, more: 1 } }])
      assert.ok(!identityRecord.safeParse({ ...record, ...extra }).success);
  });

  it('says of everything that is not known why it is not', () => {
    const absent = [...leaves(record)].filter(([path]) => path.endsWith('/absent'));
    assert.ok(absent.length >= 8, `${absent.length} absent fields`);
    for (const [path, reason] of absent) assert.match(String(reason), /\w+ \w+ \w+/, path);
  });

  it('takes no invented value where nothing is known', () => {
    for (const invented of ['', 'unknown', 'n/a', null, { absent: 1 }])
      assert.ok(
        !identityRecord.safeParse({ ...record, silicon: { ...record.silicon, barcode: invented } }).success,
      );
    assert.deepEqual(notYet('no scanner'), { absent: 'no scanner' });
  });

  it('names its operator, and at least three holders of its issuance', () => {
    assert.ok(!identityRecord.safeParse({ ...record, operator: '' }).success);
    assert.ok(!identityRecord.safeParse({ ...record, custody: record.custody.slice(1) }).success);
  });

  it('repeats the confirmation, and claims no proof that it does not name', () => {
    assert.equal(record.eid, confirmed.eid);
    assert.equal(record.keyInjection.transcriptHash, confirmed.transcriptHash);
    assert.equal(record.keyInjection.proofs.dek, 'scratch-set');
    assert.equal(record.keyInjection.negativeControl, 'absent-from-template');
    assert.deepEqual(record.errors, [{ code: 'CARD_ABSENT', context: { reader: 'one' } }]);
  });

  it('bounds the time of its making by two statements of the backend, whatever station and gateway believe', () => {
    const { beacon, recordedAt } = sources;
    assert.deepEqual([record.time.earliest, record.time.latest], [beacon.at, recordedAt]);
    assert.deepEqual(record.time.beacon, { statement: 'reservation', sha256: beacon.sha256 });
    const confirmation1970 = { ...sources.confirmation, confirmedAt: '1970-01-01T00:00:00.000Z' };
    assert.deepEqual(buildRecord({ ...sources, confirmation: confirmation1970 }).time, record.time);
    const early = buildRecord({ ...sources, recordedAt: '2026-11-22T11:59:00.000Z' });
    assert.ok(early.time.earliest <= early.time.latest);
  });

  it('holds no key: check values only, of three bytes each', () => {
    assert.deepEqual(record.keyMaterial.checkValues, confirmed.keys.checkValues);
    for (const length of [4, 8, 32]) {
      const checkValues = ['00'.repeat(length), '000000', '000000'];
      const more = { ...record, keyMaterial: { ...record.keyMaterial, checkValues } };
      assert.ok(!identityRecord.safeParse(more).success);
    }
  });
});
