/** Keys that a ceremony sends to named recipients. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryShelf } from '../../drivers/shelf/in-memory.ts';
import { conduct } from '../../runtime/cli/ceremony/conduct.ts';
import { type Bytes, fromText, toHex, toText } from '../../runtime/core/bytes.ts';
import { receive } from '../../runtime/core/ceremony/carriage.ts';
import { type CeremonyRecord, recordStatement } from '../../runtime/core/ceremony/record.ts';
import { verifyRecord } from '../../runtime/core/ceremony/verification.ts';
import { stepWords } from '../../runtime/core/ceremony/words.ts';
import { seal } from '../../runtime/core/messages/envelope.ts';
import { officers, planOf, type Room, roomOf, trusted, withCode } from './room.ts';

const entropy = createSimulatedEntropy('recipients');
const [backend, gate, stranger] = [1, 2, 3].map(() => nodeCrypto.drawAgreementKey(entropy)) as [
  ReturnType<typeof nodeCrypto.drawAgreementKey>,
  ReturnType<typeof nodeCrypto.drawAgreementKey>,
  ReturnType<typeof nodeCrypto.drawAgreementKey>,
];
const recipients = [
  { name: 'backend-1', publicKey: toHex(backend.publicKey) },
  { name: 'gate-1', publicKey: toHex(gate.publicKey) },
];
const step = { do: 'release-tag', controller: 'gate-1', file: 'gate-1.tag', recipients };
const carrying = (changes: object = {}) => planOf({ steps: [{ ...step, ...changes }] });

const fileIn = (room: Room): Bytes => room.shelf.files.get('record/gate-1.tag') ?? assert.fail();
async function sent(): Promise<{ room: Room; record: CeremonyRecord; file: Bytes }> {
  const room = await roomOf(carrying());
  const { record } = verifyRecord(await conduct(room), trusted, nodeCrypto);
  return { room, record, file: fileIn(room) };
}
const refused = (why: RegExp) => withCode('CARRIED_KEY_REFUSED', { why });

describe('a gate controller’s key that is carried', () => {
  it('reaches each recipient that the officers named, with a receipt in the record, and lies in clear nowhere', async () => {
    const { room, record, file } = await sent();
    const key = receive({ file, recipient: 'backend-1', own: backend, record }, nodeCrypto);
    assert.deepEqual(receive({ file, recipient: 'gate-1', own: gate, record }, nodeCrypto), key);
    const told = record.steps[0]?.file;
    assert.deepEqual(
      told?.carriedTo?.map(({ recipient }) => recipient),
      ['backend-1', 'gate-1'],
    );
    assert.equal(told?.checkValue, toHex(nodeCrypto.aesEncryptBlock(key, new Uint8Array(16))).slice(0, 6));
    const hidden = [toHex(key), Buffer.from(key).toString('latin1'), Buffer.from(key).toString('base64url')];
    for (const [name, bytes] of room.shelf.files)
      for (const secret of hidden) assert.ok(!Buffer.from(bytes).toString('latin1').includes(secret), name);
  });

  it('shows the officers whose keys it is encrypted to, before they approve', () => {
    const [planned] = carrying().steps;
    const { title, details } = stepWords(planned ?? assert.fail(), 'cbc-data');
    assert.match(title, /encrypt it to backend-1 and gate-1/);
    for (const { publicKey } of recipients) assert.ok(details.join().includes(publicKey));
  });

  it('is refused to anybody else, under any name, from any other file, and by any other record', async () => {
    const { record, file } = await sent();
    const own = { recipient: 'backend-1', own: backend, record, file };
    const later = carrying({ file: 'gate-1.tag' });
    const other = await roomOf({ ...later, id: '2d9d9c2a-5f0f-4b1f-9a43-0c8f5e6f7a01' });
    const { record: otherRecord } = verifyRecord(await conduct(other), trusted, nodeCrypto);
    const cases: readonly [Parameters<typeof receive>[0], RegExp][] = [
      [{ ...own, own: stranger }, /another key of this recipient/],
      [{ ...own, own: gate }, /another key of this recipient/],
      [{ ...own, recipient: 'mallory', own: stranger }, /somebody else/],
      [{ ...own, record: otherRecord }, /no such file/],
      [{ ...own, file: fileIn(other) }, /no such file/],
      [{ ...own, file: file.map((byte, i) => (i === 400 ? byte ^ 1 : byte)) }, /no such file/],
    ];
    for (const [receipt, why] of cases)
      assert.throws(() => receive(receipt, nodeCrypto), withCode('CARRIED_KEY_REFUSED', { why }));
  });

  it('serves no other controller, no other recipient and no other ceremony, whatever a conductor writes down', async () => {
    const { record, file } = await sent();
    /** A record that tells of this file instead, as whoever conducts alone could sign it. */
    const telling = (text: string, changes: Partial<CeremonyRecord['plan']> = {}) => {
      const forged = structuredClone(record);
      const told = forged.steps[0]?.file ?? assert.fail();
      told.sha256 = toHex(nodeCrypto.sha256(fromText(text)));
      return { ...forged, plan: { ...forged.plan, ...changes } };
    };
    const text = toText(file);
    const swapped = text
      .replace('"backend-1"', '"x"')
      .replace('"gate-1",\n      "key"', '"backend-1",\n      "key"');
    const gate2 = carrying({ controller: 'gate-2' });
    const id = '2d9d9c2a-5f0f-4b1f-9a43-0c8f5e6f7a01';
    const own = { recipient: 'backend-1', own: backend };
    for (const [name, lie, bytes] of [
      ['recipient', telling(swapped), fromText(swapped)],
      ['controller', telling(text, { steps: gate2.steps }), file],
      ['ceremony', telling(text, { id }), file],
    ] as const)
      assert.throws(
        () => receive({ ...own, file: bytes, record: lie }, nodeCrypto),
        withCode('ENVELOPE_INVALID', { why: /another place/ }),
        name,
      );
    assert.throws(
      () => receive({ ...own, file: fromText('{'), record: telling('{') }, nodeCrypto),
      refused(/no file of carried keys/),
    );
    const other = telling(text);
    const told = other.steps[0]?.file ?? assert.fail();
    told.checkValue = '000000';
    assert.throws(() => receive({ ...own, file, record: other }, nodeCrypto), refused(/another check value/));
  });

  it('proves nothing with a record that names other recipients, or none, or a key in clear', async () => {
    const { record } = await sent();
    const changes = [
      { carriedTo: undefined },
      { carriedTo: record.steps[0]?.file?.carriedTo?.slice(0, 1) },
      { sha256: null },
    ];
    for (const change of changes) {
      const forged = structuredClone(record);
      const told = forged.steps[0];
      assert.ok(told?.file);
      Object.assign(told.file, change);
      const jws = await seal(recordStatement, forged, officers.ada, nodeCrypto);
      assert.throws(
        () => verifyRecord(jws, trusted, nodeCrypto),
        withCode('CEREMONY_RECORD_INVALID', { check: 'step 1: release-tag' }),
      );
    }
  });

  it('is the same for all after a power cut at any moment, and refuses to go on with another file', async () => {
    for (let strike = 1; ; strike++) {
      let moments = 0;
      let striking = true;
      const moment = (): void => {
        moments++;
        if (striking && moments === strike) throw new Error('the power failed');
      };
      const room = await roomOf(carrying(), {
        shelf: createInMemoryShelf(moment),
        token: { onChange: moment },
      });
      const died = await conduct(room).then(
        () => false,
        () => true,
      );
      striking = false;
      const { record } = verifyRecord(await conduct(room), trusted, nodeCrypto);
      const file = fileIn(room);
      assert.deepEqual(
        receive({ file, recipient: 'backend-1', own: backend, record }, nodeCrypto),
        receive({ file, recipient: 'gate-1', own: gate, record }, nodeCrypto),
        `moment ${strike}`,
      );
      if (died) continue;
      room.shelf.files.delete('record/record.jws');
      room.shelf.files.set('record/gate-1.tag', fromText('{}'));
      await assert.rejects(conduct(room), withCode('CEREMONY_KEY_DIFFERS', { why: /file is not the one/ }));
      break;
    }
  });

  it('is planned for nobody twice, and for nobody whose key is no key', async () => {
    const [first] = recipients;
    assert.throws(() => carrying({ recipients: [first, first] }), /named twice/);
    assert.throws(() => carrying({ recipients: [] }));
    const nowhere = { name: 'gate-1', publicKey: `04${'11'.repeat(64)}` };
    const room = await roomOf(carrying({ recipients: [first, nowhere] }));
    await assert.rejects(conduct(room), withCode('ENVELOPE_INVALID'));
    assert.ok(!room.shelf.files.has('record/gate-1.tag'));
  });
});
