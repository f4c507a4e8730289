/** `holdfast enrol sign`: the bus authority certifies a station that somebody vouches for, for a short time. */
import { z } from 'zod';
import { trustedFrom } from '../../../config/load.ts';
import { trustedKeys } from '../../../config/parts.ts';
import { type Bytes, equal, toHex } from '../../core/bytes.ts';
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
import { type Arguments, type Command, countOf, type Option, textOf, usage } from '../command.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';
import type { AuthorityPlace } from './means.ts';
import { authorityIn, authorityOptions, type OpenRegister, registerIn } from './place.ts';

const DAY_MS = 86_400_000;
/** A stolen certificate is of use for so long at most. */
const DAYS = 7;
const DAYS_MAX = 90;
/** How far the clocks of broker and station may be behind. */
const CLOCKS_MS = 300_000;
const APPROVALS_MAX = 16;

export const daysOption = {
  days: { type: 'string', value: 'N', help: `how long it is valid (default ${DAYS}, at most ${DAYS_MAX})` },
} as const satisfies Readonly<Record<string, Option>>;

export const enrolSignCommand: Command = {
  name: 'enrol sign',
  summary: 'at the bus authority: prints the certificate for a request that somebody vouches for',
  operands: 'REQUEST [APPROVAL...]',
  operandsMax: 1 + APPROVALS_MAX,
  options: {
    ...authorityOptions,
    ...daysOption,
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
    const days = daysIn(given);
    const authority = authorityIn(given);
    const register = registerIn(given, means);
    const asked = readEnrolment(means.files.read(file).trim(), means.crypto);
    demandNotRevoked(asked.station, register.entries);
    const by = vouched(asked, approvals, register, authority.certificate, given, means);
    const { pem, notAfter } = await certified(asked, by, { authority, register, days }, means);
    means.print(pem.trimEnd());
    const { station } = asked;
    const trusted = { name: station, role: 'station', publicKey: toHex(asked.envelopeKey) };
    means.talk(`${station} until ${notAfter}, vouched for by ${by}; trusted: ${JSON.stringify(trusted)}`);
    return ExitCode.done;
  },
};

export type Voucher = Extract<RegisterEntry, { kind: 'issued' }>['by'];

/** Notes the certificate in the register, then signs it. @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
export async function certified(
  { station, tlsKey, envelopeKey }: AskedEnrolment,
  by: Voucher,
  terms: { readonly authority: AuthorityPlace; readonly register: OpenRegister; readonly days: number },
  means: Means,
): Promise<{ readonly pem: string; readonly notAfter: string }> {
  const nowMs = means.now();
  const serial = means.enrolment.drawSerial();
  const notAfterMs = nowMs + terms.days * DAY_MS;
  const notAfter = instantOf(notAfterMs);
  const keys = { tlsKey: toHex(tlsKey), envelopeKey: toHex(envelopeKey) };
  terms.register.note({ kind: 'issued', at: instantOf(nowMs), station, serial, ...keys, notAfter, by });
  const of = { name: station, publicKey: tlsKey, notBeforeMs: nowMs - CLOCKS_MS, notAfterMs };
  return { pem: await means.enrolment.certify(terms.authority, serial, of), notAfter };
}

/** How many days are asked for. @throws Fault USAGE */
export function daysIn(given: Arguments): number {
  const days = countOf(given, 'days', 1) ?? DAYS;
  if (days > DAYS_MAX) throw usage(`--days takes at most ${DAYS_MAX}: a certificate is renewed instead`);
  return days;
}

/** Whether the present certificate vouches for a request. @throws Fault ENROLMENT_REFUSED */
export function demandRenewal(
  asked: AskedEnrolment & { readonly present: Bytes },
  register: OpenRegister,
  authorityFile: string,
  means: Means,
): void {
  const { station } = asked;
  const present = means.enrolment.readCertificate(asked.present, authorityFile);
  if (present.name !== station || !equal(present.publicKey, asked.tlsKey))
    throw new Fault('ENROLMENT_REFUSED', {
      station,
      why: 'the present certificate is for another key or name',
    });
  if (means.now() > present.notAfterMs)
    throw new Fault('ENROLMENT_REFUSED', { station, why: 'the present certificate has ended' });
  demandSameKeys(asked, register.entries);
}

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
  const { present } = asked;
  if (present !== null) {
    demandRenewal({ ...asked, present }, register, authorityFile, means);
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
