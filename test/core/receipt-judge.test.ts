/** Every receipt is signed by whom it should be; these tests change one thing it says, and sign it again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { confirmation, reservation } from '../../runtime/core/messages/receipts.ts';
import {
  judgeConfirmation,
  judgeRegistration,
  judgeRejection,
  judgeReservation,
} from '../../runtime/core/operation/receipt-judge.ts';
import { type Changes, receiptOf, signed } from './receipts.ts';
import {
  ARRIVAL,
  confirmed,
  hashOfText,
  identity,
  judgement,
  KNOWN_SIZE,
  logOf,
  OTHER_EID,
  OTHER_OPERATION,
  otherLogKeys,
  placeIn,
  registered,
  rejected,
  release,
  reserved,
  TREE_SIZE,
  VISIT,
} from './samples.ts';

/** One thing changed, by the name of what it is. */
type Table = Readonly<Record<string, Changes>>;

/** Each change is refused, with one of the codes that hold the line. */
async function refusesEach(
  table: Table,
  judge: (changes: Changes) => Promise<unknown>,
  codes: readonly FaultCode[] = ['RECEIPT_INVALID'],
): Promise<void> {
  for (const [name, changes] of Object.entries(table))
    await assert.rejects(
      judge(changes),
      (error: unknown) => isFault(error) && codes.includes(error.code),
      `accepted: ${name}`,
    );
}

const good = {
  reserved: reservation.payload.parse(reserved),
  confirmed: confirmation.payload.parse(confirmed),
};
const EARLIER = { epoch: 1 };
const LATER = { epoch: 3 };
const tree = logOf('leaf', TREE_SIZE);

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
    assert.equal((await judge()).certificate.serial, '0102');
    assert.equal((await judge({}, null)).epoch, 2);
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
  const judge = async (changes: Changes = {}, by = judgement, arrival = ARRIVAL) =>
    judgeRegistration(await receiptOf.registration(changes), good.confirmed, arrival, by);
  const withRelease = (changes: Changes): Changes => ({ release: { ...release, ...changes } });

  it('convinces when it names what was confirmed, the unit that is present, and a log that only grew', async () => {
    assert.deepEqual((await judge()).release, release);
  });

  it('convinces at the very beginning, when this station has seen nothing of the log', async () => {
    const first = { ...placeIn(tree, 0) };
    assert.equal((await judge(first, { ...judgement, known: null })).knownTreeSize, 0);
  });

  it('is refused for another operation, epoch, EID, secure element or dialogue', () =>
    refusesEach(
      {
        operation: { operation: OTHER_OPERATION },
        'earlier epoch': EARLIER,
        'later epoch': LATER,
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

  it('is refused when the unit present is another than the one it was made for', () =>
    assert.rejects(judge({}, judgement, ARRIVAL + 1), (error) => isFault(error)));

  it('is refused when its leaf is not in the log it shows', () => {
    const [first = '', ...rest] = registered.inclusionProof;
    return refusesEach(
      {
        'another leaf': { leafHash: hashOfText('another leaf') },
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

  it('is refused when its checkpoint is not signed by the fleet log, or was changed', () => {
    const { checkpoint } = registered;
    const [origin, size, root = ''] = checkpoint.split('\n');
    return refusesEach(
      {
        'another key': { checkpoint: placeIn(tree, KNOWN_SIZE, otherLogKeys).checkpoint },
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
        smaller: placeIn(tree, KNOWN_SIZE - 1),
        larger: placeIn(tree, KNOWN_SIZE + 1),
        none: placeIn(tree, 0),
      },
      judge,
    ));

  it('tells of a fork when the log does not contain what this station saw', () => {
    const [first = '', ...rest] = registered.consistencyProof;
    const rewritten = logOf('another history', TREE_SIZE);
    const shorter = logOf('leaf', KNOWN_SIZE - 1);
    return refusesEach(
      {
        'another history of the same size': placeIn(rewritten, KNOWN_SIZE),
        'rolled back': { ...placeIn(shorter, 0), knownTreeSize: KNOWN_SIZE },
        'proof changed': { consistencyProof: [hashOfText('x'), ...rest] },
        'proof cut': { consistencyProof: rest },
        'proof with more': { consistencyProof: [first, ...registered.consistencyProof] },
        'no proof': { consistencyProof: [] },
      },
      judge,
      ['LOG_FORKED'],
    );
  });
});

describe('a reject receipt', () => {
  const judge = async (changes: Changes = {}, visit = VISIT, arrival = ARRIVAL) =>
    judgeRejection(await receiptOf.rejection(changes), visit, arrival, judgement);
  const withRelease = (changes: Changes): Changes => ({ release: { ...rejected.release, ...changes } });

  it('convinces when it names this visit and the reject lane', async () => {
    assert.equal((await judge()).release.lane, 'reject');
  });

  it('is refused for another visit, station, nest or operation, or with a release for the good lane', () =>
    refusesEach(
      {
        visit: { visit: '01890000-0000-7000-8000-0000000000bb' },
        station: { station: 'station-2' },
        nest: { nest: 'b' },
        operation: { operation: OTHER_OPERATION },
        lane: withRelease({ lane: 'good' }),
        controller: withRelease({ controller: 'gate-2' }),
        'nest of the release': withRelease({ nest: 'b' }),
        'operation of the release': withRelease({ operation: OTHER_OPERATION }),
        arrival: withRelease({ arrival: ARRIVAL + 1 }),
        leaf: { leafHash: hashOfText('another leaf') },
        checkpoint: { checkpoint: placeIn(tree, KNOWN_SIZE, otherLogKeys).checkpoint },
      },
      judge,
    ));

  it('does not open the good lane: it is no registration', async () => {
    const jws = await receiptOf.rejection();
    assert.throws(() => judgeRegistration(jws, good.confirmed, ARRIVAL, judgement), isFault);
  });
});
