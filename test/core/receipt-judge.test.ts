/** Every receipt is signed by whom it should be; these tests change one thing it says, and sign it again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromText, toBase64, toHex } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { openCheckpoint } from '../../runtime/core/log/checkpoint.ts';
import { confirmation, reservation } from '../../runtime/core/messages/receipts.ts';
import {
  judgeConfirmation,
  judgeRegistration,
  judgeReservation,
} from '../../runtime/core/operation/receipt-judge.ts';
import {
  KNOWN_SIZE,
  knownCheckpoint,
  type LogView,
  logKeys,
  otherLogKeys,
  shownInLog,
  TREE_SIZE,
} from './log-samples.ts';
import { type Changes, receiptOf, refusesBecause, refusesEach, signed } from './receipts.ts';
import {
  ARRIVAL,
  confirmationHash,
  confirmed,
  hashOfText,
  identity,
  judgement,
  OTHER_EID,
  OTHER_OPERATION,
  registered,
  registrationEntry,
  release,
  reserved,
} from './samples.ts';

const good = {
  reserved: reservation.payload.parse(reserved),
  confirmed: confirmation.payload.parse(confirmed),
};
const EARLIER = { epoch: 1 };
const LATER = { epoch: 3 };
/** Another view of the same log, or of another, with the registration's own leaf in it. */
const viewed = (view: LogView): Changes => shownInLog(registrationEntry(), view);

describe('a reservation', () => {
  const judge = async (changes: Changes = {}) =>
    judgeReservation(await receiptOf.reservation(changes), identity, judgement);

  it('convinces when it names this station, nest and unit', async () => {
    assert.equal((await judge()).operation, reserved.operation);
  });

  it('is refused for another station, nest, EID or secure element', () =>
    refusesEach(
      {
        station: { station: 'station-2' },
        nest: { nest: 'b' },
        EID: { eid: OTHER_EID },
        'SE fingerprint': { seFingerprint: hashOfText('another chip') },
      },
      judge,
    ));
});

describe('a confirmation', () => {
  const judge = async (changes: Changes = {}, transcript: string | null = confirmed.transcriptHash) =>
    judgeConfirmation(await receiptOf.confirmation(changes), good.reserved, transcript, judgement);

  it('convinces when it names what was reserved and the dialogue that was played', async () => {
    assert.deepEqual((await judge()).certificate, confirmed.certificate);
    assert.equal((await judge({}, null)).epoch, 2);
  });

  it('is refused for another operation, epoch, station, nest, EID, secure element, ticket or dialogue', () =>
    refusesEach(
      {
        operation: { operation: OTHER_OPERATION },
        'earlier epoch': EARLIER,
        'later epoch': LATER,
        station: { station: 'station-2' },
        nest: { nest: 'b' },
        EID: { eid: OTHER_EID },
        'SE fingerprint': { seFingerprint: hashOfText('another chip') },
        ticket: { ticket: 'T-2' },
        transcript: { transcriptHash: hashOfText('another dialogue') },
      },
      judge,
    ));

  it('is refused when it proves other keys than those that were reserved', () =>
    refusesEach(
      {
        generation: { keys: { ...confirmed.keys, generation: 2 } },
        'key version': { keys: { ...confirmed.keys, keyVersion: 0x32 } },
      },
      judge,
    ));

  it('cannot be made by station or backend', async () => {
    for (const by of ['station', 'backend', 'ticket-authority'] as const) {
      const forged = await signed(confirmation, confirmed, {}, by);
      assert.throws(
        () => judgeConfirmation(forged, good.reserved, null, judgement),
        (error) => isFault(error) && error.code === 'ENVELOPE_INVALID',
      );
    }
  });
});

describe('a registration', () => {
  const about = { confirmed: good.confirmed, confirmationHash, arrival: ARRIVAL };
  const judge = async (changes: Changes = {}, by = judgement, other: Partial<typeof about> = {}) =>
    judgeRegistration(await receiptOf.registration(changes), { ...about, ...other }, by);
  const withRelease = (changes: Changes): Changes => ({ release: { ...release, ...changes } });

  it('convinces when it names what was confirmed, the unit that is present, and a log that only grew', async () => {
    assert.deepEqual((await judge()).release, release);
  });

  it('convinces at the very beginning, when this station has seen nothing of the log', async () => {
    const first = await judge(viewed({ known: 0 }), { ...judgement, known: null });
    assert.equal(first.knownTreeSize, 0);
  });

  it('convinces when its leaf is the confirmation that a resume added', async () => {
    const resumed = shownInLog(registrationEntry({}, 'confirmation'));
    assert.deepEqual((await judge(resumed)).release, release);
  });

  it('is refused for another operation, epoch, station, nest, EID, secure element or dialogue', () =>
    refusesEach(
      {
        operation: { operation: OTHER_OPERATION },
        'earlier epoch': EARLIER,
        'later epoch': LATER,
        station: { station: 'station-2' },
        nest: { nest: 'b' },
        EID: { eid: OTHER_EID },
        'SE fingerprint': { seFingerprint: hashOfText('another chip') },
        transcript: { transcriptHash: hashOfText('another dialogue') },
      },
      judge,
    ));

  it('is refused when its release is for another gate, nest, lane, operation, epoch or arrival', () =>
    refusesEach(
      {
        controller: withRelease({ controller: 'gate-2' }),
        nest: withRelease({ nest: 'b' }),
        lane: withRelease({ lane: 'reject' }),
        operation: withRelease({ operation: OTHER_OPERATION }),
        'earlier epoch': withRelease(EARLIER),
        'later epoch': withRelease(LATER),
        'arrival before': withRelease({ arrival: ARRIVAL - 1 }),
        'arrival after': withRelease({ arrival: ARRIVAL + 1 }),
      },
      judge,
    ));

  it('is refused without a tag by a station with a gate controller, and with one by a station without', async () => {
    const untagged = { release: { ...release, tag: null } };
    await refusesEach({ 'no tag': untagged }, judge);
    const plain = { ...judgement, gate: 'plain-firmata' } as const;
    const about = { confirmed: good.confirmed, confirmationHash, arrival: ARRIVAL };
    assert.ok(judgeRegistration(await receiptOf.registration(untagged), about, plain));
    await assert.rejects(
      async () => judgeRegistration(await receiptOf.registration({}), about, plain),
      isFault,
    );
  });

  it('is refused when the unit present is another than the one it was made for', () =>
    assert.rejects(judge({}, judgement, { arrival: ARRIVAL + 1 }), (error) => isFault(error)));

  it('is refused when its leaf is not in the log it shows', () => {
    const [first = '', ...rest] = registered.inclusionProof;
    return refusesEach(
      {
        'another leaf': { leaf: toBase64(fromText('another leaf')) },
        'its leaf changed': { leaf: toBase64(registrationEntry({ station: 'station-2' })) },
        'another index': { leafIndex: registered.leafIndex - 1 },
        'index beyond the tree': { leafIndex: TREE_SIZE },
        'a node changed': { inclusionProof: [hashOfText('x'), ...rest] },
        'a node missing': { inclusionProof: rest },
        'a node too many': { inclusionProof: [first, first, ...rest] },
        'no proof': { inclusionProof: [] },
      },
      judge,
    );
  });

  it('is refused when its leaf, though in the log, is about something else', () => {
    const leaf = (...changed: Parameters<typeof registrationEntry>): Changes =>
      shownInLog(registrationEntry(...changed));
    return refusesBecause(
      {
        'leaf is of another kind': [leaf({}, 'rejection'), leaf({}, 'station-event')],
        'leaf is about another unit': [
          leaf({ operation: OTHER_OPERATION }),
          leaf(EARLIER),
          leaf({ eid: OTHER_EID }),
        ],
        'leaf is about another confirmation': [leaf({ confirmationHash: hashOfText('another') })],
        'leaf is about another record': [leaf({ recordHash: hashOfText('another record') })],
        'leaf is not one of ours': [
          shownInLog(fromText('another text')),
          shownInLog(fromText('{"contract":"another/leaf-1"}')),
          shownInLog(fromText('')),
        ],
      },
      judge,
    );
  });

  it('is refused when another confirmation was verified than the one it registers', () =>
    assert.rejects(
      judge({}, judgement, { confirmationHash: hashOfText('another confirmation') }),
      (error) => isFault(error) && error.context.why === 'leaf is about another confirmation',
    ));

  it('is refused when it names another record than its leaf', () =>
    refusesBecause(
      { 'leaf is about another record': [{ recordHash: hashOfText('another record') }] },
      judge,
    ));

  it('is refused when its checkpoint is not signed by the fleet log, or was changed', () => {
    const { checkpoint } = registered;
    const [origin, size, root = ''] = checkpoint.split('\n');
    return refusesEach(
      {
        'another key': viewed({ by: otherLogKeys }),
        'size changed': { checkpoint: checkpoint.replace(`\n${size}\n`, `\n${TREE_SIZE + 1}\n`) },
        'root changed': {
          checkpoint: checkpoint.replace(
            root,
            root.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')),
          ),
        },
        'origin changed': { checkpoint: checkpoint.replace(origin ?? '', 'log.holdfast.example/other') },
        'no signature': { checkpoint: checkpoint.slice(0, checkpoint.indexOf('\n\n') + 2) },
        nothing: { checkpoint: '' },
      },
      judge,
    );
  });

  it('is refused when consistency is proved from another size than this station knows', () =>
    refusesEach(
      {
        smaller: viewed({ known: KNOWN_SIZE - 1 }),
        larger: viewed({ known: KNOWN_SIZE + 1 }),
        none: viewed({ known: 0 }),
      },
      judge,
    ));

  it('tells of a fork when the log does not contain what this station saw', () => {
    const [first = '', ...rest] = registered.consistencyProof;
    return refusesEach(
      {
        'another history of the same size': viewed({ history: 'another history' }),
        'rolled back': {
          ...viewed({ size: KNOWN_SIZE - 1, known: 0 }),
          knownTreeSize: KNOWN_SIZE,
        },
        'proof changed': { consistencyProof: [hashOfText('x'), ...rest] },
        'proof cut': { consistencyProof: rest },
        'proof with more': { consistencyProof: [first, ...registered.consistencyProof] },
        'no proof': { consistencyProof: [] },
      },
      judge,
      ['LOG_FORKED'],
    );
  });

  it('keeps the signed checkpoint of a fork as evidence, beside the root that this station knows', async () => {
    const fork = viewed({ history: 'another history' });
    await assert.rejects(judge(fork), (error: unknown) => {
      assert.ok(isFault(error));
      assert.equal(error.context.signed, fork.checkpoint);
      assert.equal(error.context.knownRoot, toHex(knownCheckpoint.root));
      const signed = openCheckpoint(String(error.context.signed), logKeys.key, nodeCrypto);
      return signed !== null && signed.size > KNOWN_SIZE;
    });
  });
});
