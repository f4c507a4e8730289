/** `holdfast enrol request` and `renew`: at the station, what it asks of the bus authority. */
import { instantOf } from '../../core/instant.ts';
import { askEnrolment } from '../../core/messages/enrolment.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, textOf } from '../command.ts';
import { keysOf, stationIn, stationOptions } from './place.ts';

export const enrolRequestCommand: Command = {
  name: 'enrol request',
  summary: 'at a station: makes its keys in its token and prints the request for a certificate',
  options: {
    ...stationOptions,
    code: { type: 'string', value: 'FILE', help: 'with the one-time code that this station was given' },
  },
  notes: [
    'Keys that are there already are used; no key ever leaves the token, and a copy of this disk starts nothing.',
    'The module may need its environment, as the station does: SOFTHSM2_CONF, or TPM2_PKCS11_STORE and TCTI.',
  ],
  examples: ['holdfast enrol request --config station.json --code code.txt > station-1.request'],
  run: async (given, means) => {
    const config = stationIn(given);
    const file = textOf(given, 'code');
    const code = file === null ? null : means.files.read(file).trim();
    await using keys = await means.enrolment.openKeys(keysOf(config), 'make-missing');
    for (const label of keys.made) means.talk(`made in the token: ${label}`);
    const asked = { station: config.station, requestedAt: instantOf(means.now()) };
    means.print(await askEnrolment(asked, keys, { code, present: null }, means.crypto));
    return ExitCode.done;
  },
};

/** Part of a certificate's life that must be left; behind it, it is renewed. */
const LEFT_BEFORE_RENEWAL = 1 / 3;

export const enrolRenewCommand: Command = {
  name: 'enrol renew',
  summary: 'at a station: prints the request for the next certificate, when the present one is near its end',
  options: { ...stationOptions, now: { type: 'boolean', help: 'also when there is time left' } },
  notes: [
    'The present certificate vouches for the request, so nobody has to approve it. For a timer: nothing is printed',
    'while more than a third of its life is left.',
  ],
  examples: ['holdfast enrol renew --config station.json > station-1.request'],
  run: async (given, means) => {
    const config = stationIn(given);
    const present = means.enrolment.readCertificate(means.files.read(config.bus.certificate), config.bus.ca);
    const left = (present.notAfterMs - means.now()) / (present.notAfterMs - present.notBeforeMs);
    if (left > LEFT_BEFORE_RENEWAL && !isSet(given, 'now')) {
      means.talk(`nothing to do: the certificate ends ${instantOf(present.notAfterMs)}`);
      return ExitCode.done;
    }
    await using keys = await means.enrolment.openKeys(keysOf(config), 'demand');
    const asked = { station: config.station, requestedAt: instantOf(means.now()) };
    means.print(await askEnrolment(asked, keys, { code: null, present: present.der }, means.crypto));
    return ExitCode.done;
  },
};
