/** The reject receipt opens the reject lane for one visit; each test changes one thing it says, signed again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromText, toBase64 } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { confirmation } from '../../runtime/core/messages/receipts.ts';
import { judgeRegistration, judgeRejection } from '../../runtime/core/operation/receipt-judge.ts';
import { otherLogKeys, shownInLog } from './log-samples.ts';
import { type Changes, receiptOf, refusesBecause, refusesEach } from './receipts.ts';
import {
  ARRIVAL,
  confirmationHash,
  confirmed,
  EID,
  judgement,
  OTHER_EID,
  OTHER_OPERATION,
  rejected,
  rejectionEntry,
  VISIT,
} from './samples.ts';

const OTHER_VISIT = '01890000-0000-7000-8000-0000000000bb';
const about = { visit: VISIT, arrival: ARRIVAL, eid: EID, faultCode: rejected.fault.code };

describe('a reject receipt', () => {
  const judge = async (changes: Changes = {}, other: Partial<Parameters<typeof judgeRejection>[1]> = {}) =>
    judgeRejection(await receiptOf.rejection(changes), { ...about, ...other }, judgement);
  const withRelease = (changes: Changes): Changes => ({ release: { ...rejected.release, ...changes } });
  const leaf = (...changed: Parameters<typeof rejectionEntry>): Changes =>
    shownInLog(rejectionEntry(...changed));

  it('convinces when it names this visit and the reject lane', async () => {
    assert.equal((await judge()).release.lane, 'reject');
  });

  it('convinces without an EID, when the card never gave one', async () => {
    const receipt = await judge({ eid: null, ...leaf({ eid: null }) }, { eid: null });
    assert.equal(receipt.eid, null);
  });

  it('is refused for another visit, station, nest, EID or verdict', () =>
    refusesBecause(
      {
        'reject receipt is for another visit': [{ visit: OTHER_VISIT }],
        'reject receipt is for another station or nest': [{ station: 'station-2' }, { nest: 'b' }],
        'reject receipt names another EID': [{ eid: OTHER_EID }, { eid: null }],
        'reject receipt names another verdict': [{ fault: { code: 'CARD_NOT_OURS', context: {} } }],
      },
      judge,
    ));

  it('is refused when it is about a unit that gave another EID, or none', async () => {
    for (const eid of [OTHER_EID, null]) await assert.rejects(judge({}, { eid }), isFault);
  });

  it('is refused with a release for the good lane, another gate, nest, operation or arrival', () =>
    refusesEach(
      {
        operation: { operation: OTHER_OPERATION },
        lane: withRelease({ lane: 'good' }),
        controller: withRelease({ controller: 'gate-2' }),
        'nest of the release': withRelease({ nest: 'b' }),
        'operation of the release': withRelease({ operation: OTHER_OPERATION }),
        arrival: withRelease({ arrival: ARRIVAL + 1 }),
      },
      judge,
    ));

  it('is refused when its leaf is not in the log, or about something else', () =>
    refusesBecause(
      {
        'leaf is not in the log': [{ leaf: toBase64(fromText('another leaf')) }],
        'checkpoint is not signed by the fleet log': [shownInLog(rejectionEntry(), { by: otherLogKeys })],
        'leaf is of another kind': [leaf({}, 'registration'), leaf({}, 'confirmation')],
        'leaf is about another unit': [
          leaf({ visit: OTHER_VISIT }),
          leaf({ operation: OTHER_OPERATION }),
          leaf({ eid: OTHER_EID }),
          leaf({ eid: null }),
        ],
        'leaf is not one of ours': [shownInLog(fromText('another text'))],
      },
      judge,
    ));

  it('does not open the good lane: it is no registration', async () => {
    const jws = await receiptOf.rejection();
    const unit = { confirmed: confirmation.payload.parse(confirmed), confirmationHash, arrival: ARRIVAL };
    assert.throws(() => judgeRegistration(jws, unit, judgement), isFault);
  });
});
