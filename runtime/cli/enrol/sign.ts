/** `holdfast enrol sign`: the bus authority certifies a station that somebody vouches for, for a short time. */
import { z } from 'zod';
import { trustedFrom } from '../../../config/load.ts';
import { trustedKeys } from '../../../config/parts.ts';
import { equal, toHex } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { demandApprovals, quorumForm } from '../../core/messages/approval.ts';
import { type AskedEnrolment, enrolmentSubject, readEnrolment } from '../../core/messages/enrolment.ts';
import {
  codeOf,
  demandNotRevoked,
  demandSameKeys,
  type RegisterEntry,
} from '../../core/messages/enrolment-register.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, countOf, textOf, usage } from '../command.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';
import { authorityIn, authorityOptions, type OpenRegister, registerIn } from './place.ts';

const DAY_MS = 86_400_000;
/** A stolen certificate is of use for so long at most. */
const DAYS = 7;
const DAYS_MAX = 90;
/** How far the clocks of broker and station may be behind. */
const CLOCKS_MS = 300_000;
const APPROVALS_MAX = 16;

export const enrolSignCommand: Command = {
  name: 'enrol sign',
  summary: 'at the bus authority: prints the certificate for a request that somebody vouches for',
  operands: 'REQUEST [APPROVAL...]',
  operandsMax: 1 + APPROVALS_MAX,
  options: {
    ...authorityOptions,
    days: { type: 'string', value: 'N', help: `how long it is valid (default ${DAYS}, at most ${DAYS_MAX})` },
    judge: {
      type: 'string',
      value: 'FILE',
      help: 'backend.json, for its officers and stationQuorum, where officers vouch',
    },
  },
  notes: [
    'Who vouches: a one-time code of this register, the station’s present certificate, or officers by their approvals.',
    'Of the request only the name and the two public keys are taken. What is signed stands in the register first.',
    'On standard error: what gateway and backend must trust, for their configurations.',
  ],
  examples: [
    'holdfast enrol sign station-1.request --ca bus-ca.pem --ca-key bus-ca.key --register bus.register > bus.pem',
  ],
  run: async (given, means) => {
    const [file, ...approvals] = given.operands;
    if (file === undefined) throw usage('say which request');
    const days = countOf(given, 'days', 1) ?? DAYS;
    if (days > DAYS_MAX) throw usage(`--days takes at most ${DAYS_MAX}: a certificate is renewed instead`);
    const authority = authorityIn(given);
    const register = registerIn(given, means);
    const asked = readEnrolment(means.files.read(file).trim(), means.crypto);
    demandNotRevoked(asked.station, register.entries);
    const nowMs = means.now();
    const by = vouched(asked, approvals, register, authority.certificate, given, means);
    const serial = means.enrolment.drawSerial();
    const notAfterMs = nowMs + days * DAY_MS;
    const keys = { tlsKey: toHex(asked.tlsKey), envelopeKey: toHex(asked.envelopeKey) };
    const { station } = asked;
    const at = instantOf(nowMs);
    register.note({ kind: 'issued', at, station, serial, ...keys, notAfter: instantOf(notAfterMs), by });
    const terms = { name: station, publicKey: asked.tlsKey, notBeforeMs: nowMs - CLOCKS_MS, notAfterMs };
    means.print((await means.enrolment.certify(authority, serial, terms)).trimEnd());
    const trusted = { name: station, role: 'station', publicKey: keys.envelopeKey };
    means.talk(
      `${station} until ${instantOf(notAfterMs)}, vouched for by ${by}; trusted: ${JSON.stringify(trusted)}`,
    );
    return ExitCode.done;
  },
};

type Voucher = Extract<RegisterEntry, { kind: 'issued' }>['by'];

/** @throws Fault ENROLMENT_REFUSED, APPROVALS_MISSING, APPROVAL_REFUSED */
function vouched(
  asked: AskedEnrolment,
  approvalFiles: readonly string[],
  register: OpenRegister,
  authorityFile: string,
  given: Arguments,
  means: Means,
): Voucher {
  const nowMs = means.now();
  const { station } = asked;
  if (asked.present !== null) {
    const present = means.enrolment.readCertificate(asked.present, authorityFile);
    if (present.name !== station || !equal(present.publicKey, asked.tlsKey))
      throw new Fault('ENROLMENT_REFUSED', {
        station,
        why: 'the present certificate is for another key or name',
      });
    if (nowMs > present.notAfterMs)
      throw new Fault('ENROLMENT_REFUSED', { station, why: 'the present certificate has ended' });
    demandSameKeys(asked, register.entries);
    return 'renewal';
  }
  const code = codeOf(asked, register.entries, nowMs, means.crypto);
  if (code !== null) {
    register.note({ kind: 'code-spent', at: instantOf(nowMs), station, code });
    return 'code';
  }
  if (asked.code !== null)
    throw new Fault('ENROLMENT_REFUSED', { station, why: 'the code is not known, has ended, or was used' });
  if (textOf(given, 'judge') === null)
    throw new Fault('ENROLMENT_REFUSED', {
      station,
      why: 'nobody vouches: no code, no certificate, no --judge',
    });
  const { quorum, trusted } = judgeIn(needed(given, 'judge', 'backend.json'), means);
  const subject = enrolmentSubject(asked, means.crypto);
  const demand = { purpose: 'station-enrolment', subject, quorum, nowMs } as const;
  const approvals = approvalFiles.map((path) => means.files.read(path).trim());
  for (const { officer, reason } of demandApprovals(approvals, demand, trusted, means.crypto))
    means.talk(`approved by ${officer}: ${reason}`);
  return 'officers';
}

const judgeForm = z.object({ stationQuorum: quorumForm, trusted: trustedKeys });

/** @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
function judgeIn(file: string, means: Means) {
  const read = judgeForm.safeParse(parsed(means.files.read(file)));
  if (!read.success)
    throw new Fault('CONFIG_INVALID', { file, why: z.prettifyError(read.error).slice(0, 300) });
  return { quorum: read.data.stationQuorum, trusted: trustedFrom(read.data.trusted) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // The caller says which file.
  }
}
