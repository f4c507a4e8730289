/** `holdfast enrol approve`: an officer vouches for a station's keys, or agrees that a station be revoked. */
import { enrolmentSubject, readEnrolment } from '../../core/messages/enrolment.ts';
import { thumbprint } from '../../core/messages/envelope.ts';
import { stationRevocationSubject } from '../../core/messages/station-revocation.ts';
import { type Approved, approvalOptions, approve } from '../approval.ts';
import { type Arguments, type Command, textOf, usage } from '../command.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';

export const enrolApproveCommand: Command = {
  name: 'enrol approve',
  summary: 'an officer’s signature: for a station’s keys, or with --revoke for its revocation',
  operands: '[REQUEST]',
  operandsMax: 1,
  options: {
    revoke: { type: 'string', value: 'STATION', help: 'approves its revocation, for exactly this --reason' },
    ...approvalOptions,
  },
  notes: ['What is approved is shown on standard error: compare the thumbprints with the station’s own.'],
  examples: [
    'holdfast enrol approve station-1.request --officer ada --key ada.key --reason "new fixture" > ada.approval',
    'holdfast enrol approve --revoke station-1 --officer ada --key ada.key --reason "stolen" > ada.approval',
  ],
  run: (given, means) => approve(given, means, approved(given, means)),
};

function approved(given: Arguments, means: Means): Approved {
  const station = textOf(given, 'revoke');
  const [file] = given.operands;
  if ((station === null) === (file === undefined)) throw usage('say what: a REQUEST, or --revoke STATION');
  if (station !== null) {
    const reason = needed(given, 'reason', 'why you approve');
    const subject = stationRevocationSubject({ station, reason }, means.crypto);
    return {
      purpose: 'station-revocation',
      subject,
      lines: [`${station} is to be revoked, for ever: ${reason}`],
    };
  }
  const asked = readEnrolment(means.files.read(file ?? '').trim(), means.crypto);
  return {
    purpose: 'station-enrolment',
    subject: enrolmentSubject(asked, means.crypto),
    lines: [
      `${asked.station}: key for the broker ${thumbprint(asked.tlsKey, means.crypto)}`,
      `${asked.station}: key of envelopes   ${thumbprint(asked.envelopeKey, means.crypto)}`,
    ],
  };
}
