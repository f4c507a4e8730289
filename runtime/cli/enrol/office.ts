/** `holdfast enrol office`: the bus authority answers the renewals that lie in a directory; for a timer. */
import { asFault, Fault } from '../../core/faults.ts';
import { type AskedEnrolment, readEnrolment } from '../../core/messages/enrolment.ts';
import { demandNotRevoked } from '../../core/messages/enrolment-register.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, usage } from '../command.ts';
import type { Means } from '../means.ts';
import { authorityIn, authorityOptions, registerIn } from './place.ts';
import { certified, daysIn, daysOption, demandRenewal } from './sign.ts';

const SUFFIX = '.request';

export const enrolOfficeCommand: Command = {
  name: 'enrol office',
  summary: 'at the bus authority: answers the renewals in a directory, each with STATION.pem; for a timer',
  operands: 'DIRECTORY',
  operandsMax: 1,
  options: { ...authorityOptions, ...daysOption },
  notes: [
    'Only renewals: each is vouched for by a certificate of the same key that has not ended. New stations need enrol sign.',
    'A request that was answered already is left alone. One that is refused stops none of the others.',
  ],
  examples: [
    'holdfast enrol office /srv/renewal --ca bus-ca.pem --ca-key bus-ca.key --register bus.register',
  ],
  run: async (given, means) => {
    const [directory] = given.operands;
    if (directory === undefined) throw usage('say which directory');
    let refused = 0;
    for (const name of means.files.names(directory).filter((one) => one.endsWith(SUFFIX))) {
      const station = name.slice(0, -SUFFIX.length);
      try {
        const notAfter = await answered(directory, station, given, means);
        means.talk(notAfter === null ? `${station}: answered before` : `${station}: until ${notAfter}`);
      } catch (error) {
        refused += 1;
        const { code, context } = asFault(error, 'UNEXPECTED');
        means.talk(`${station}: refused, ${String(context.why ?? '')} (${code})`);
      }
    }
    return refused === 0 ? ExitCode.done : ExitCode.fault;
  },
};

/** Until when; null for one that was answered before. @throws Fault ENROLMENT_REFUSED, FILE_UNREADABLE, CONFIG_INVALID */
async function answered(
  directory: string,
  station: string,
  given: Arguments,
  means: Means,
): Promise<string | null> {
  const authority = authorityIn(given);
  const register = registerIn(given, means);
  const asked = readEnrolment(means.files.read(`${directory}/${station}${SUFFIX}`).trim(), means.crypto);
  const { present } = asked;
  if (asked.station !== station || present === null)
    throw new Fault('ENROLMENT_REFUSED', { station, why: 'not a renewal of this station' });
  const answer = `${directory}/${station}.pem`;
  if (isAnswered({ ...asked, present }, answer, authority.certificate, means)) return null;
  demandNotRevoked(station, register.entries);
  demandRenewal({ ...asked, present }, register, authority.certificate, means);
  const { pem, notAfter } = await certified(
    asked,
    'renewal',
    { authority, register, days: daysIn(given) },
    means,
  );
  means.enrolment.replaceFile(answer, pem);
  return notAfter;
}

/** Whether a later certificate than the one that vouches lies there. What cannot be read there is no answer. */
function isAnswered(
  { present }: AskedEnrolment & { readonly present: Uint8Array },
  answer: string,
  authorityFile: string,
  { files, enrolment }: Means,
): boolean {
  if (!files.exists(answer)) return false;
  const before = enrolment.readCertificate(present, authorityFile);
  const text = files.read(answer);
  try {
    return enrolment.readCertificate(text, authorityFile).notAfterMs > before.notAfterMs;
  } catch (error) {
    if (asFault(error, 'UNEXPECTED').code === 'ENROLMENT_FOREIGN') return false;
    throw error;
  }
}
