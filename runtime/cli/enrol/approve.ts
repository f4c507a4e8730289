/** `holdfast enrol approve`: an officer vouches for a station's keys, or agrees that a station be revoked. */
import { instantOf } from '../../core/instant.ts';
import { approvalStatement } from '../../core/messages/approval.ts';
import { enrolmentSubject, readEnrolment } from '../../core/messages/enrolment.ts';
import { seal, thumbprint } from '../../core/messages/envelope.ts';
import { stationRevocationSubject } from '../../core/messages/station-revocation.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, countOf, textOf, usage } from '../command.ts';
import type { Means } from '../means.ts';
import { demanded } from './place.ts';

const DAY_MS = 86_400_000;
const DAYS = 3;

export const enrolApproveCommand: Command = {
  name: 'enrol approve',
  summary: 'an officer’s signature: for a station’s keys, or with --revoke for its revocation',
  operands: '[REQUEST]',
  operandsMax: 1,
  options: {
    revoke: { type: 'string', value: 'STATION', help: 'approves its revocation, for exactly this --reason' },
    officer: { type: 'string', value: 'NAME', help: 'as the backend names you' },
    key: { type: 'string', value: 'FILE', help: 'your P-256 key, PEM, mode 0600' },
    reason: { type: 'string', value: 'TEXT', help: 'why, for whoever reads it later' },
    days: { type: 'string', value: 'N', help: `how long the approval counts (default ${DAYS})` },
  },
  notes: ['What is approved is shown on standard error: compare the thumbprints with the station’s own.'],
  examples: [
    'holdfast enrol approve station-1.request --officer ada --key ada.key --reason "new fixture" > ada.approval',
    'holdfast enrol approve --revoke station-1 --officer ada --key ada.key --reason "stolen" > ada.approval',
  ],
  run: async (given, means) => {
    const officer = demanded(given, 'officer', 'as the backend names you');
    const reason = demanded(given, 'reason', 'why you approve');
    const signer = await means.openSigner(demanded(given, 'key', 'the file of your key'));
    const nowMs = means.now();
    const payload = approvalStatement.payload.safeParse({
      ...approved(given, reason, means),
      ...{ officer, reason, approvedAt: instantOf(nowMs) },
      notAfter: instantOf(nowMs + (countOf(given, 'days', 1) ?? DAYS) * DAY_MS),
    });
    if (!payload.success) throw usage('a name is of a-z, 0-9 and hyphen, a reason of at most 200 characters');
    means.print(await seal(approvalStatement, payload.data, signer, means.crypto));
    return ExitCode.done;
  },
};

function approved(given: Arguments, reason: string, means: Means) {
  const station = textOf(given, 'revoke');
  const [file] = given.operands;
  if ((station === null) === (file === undefined)) throw usage('say what: a REQUEST, or --revoke STATION');
  if (station !== null) {
    means.talk(`${station} is to be revoked, for ever: ${reason}`);
    const subject = stationRevocationSubject({ station, reason }, means.crypto);
    return { purpose: 'station-revocation', subject } as const;
  }
  const asked = readEnrolment(means.files.read(file ?? '').trim(), means.crypto);
  means.talk(`${asked.station}: key for the broker ${thumbprint(asked.tlsKey, means.crypto)}`);
  means.talk(`${asked.station}: key of envelopes   ${thumbprint(asked.envelopeKey, means.crypto)}`);
  return { purpose: 'station-enrolment', subject: enrolmentSubject(asked, means.crypto) } as const;
}
