/** `holdfast enrol install`: at the station, takes a certificate that is for its own key; a running station too. */
import { equal } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { ExitCode } from '../../program.ts';
import { type Command, usage } from '../command.ts';
import { keysOf, stationIn, stationOptions } from './place.ts';

export const enrolInstallCommand: Command = {
  name: 'enrol install',
  summary: 'at a station: puts a certificate in its place, when it is for the key in its token',
  operands: 'CERTIFICATE',
  operandsMax: 1,
  options: { ...stationOptions },
  notes: ['A running station takes it at its next connection to the broker; it is not restarted.'],
  examples: ['holdfast enrol install bus.pem --config station.json'],
  run: async (given, means) => {
    const [file] = given.operands;
    if (file === undefined) throw usage('say which certificate');
    const config = stationIn(given);
    const text = means.files.read(file);
    const certificate = means.enrolment.readCertificate(text, config.bus.ca);
    await using keys = await means.enrolment.openKeys(keysOf(config), 'demand');
    const why = !equal(certificate.publicKey, keys.tls.publicKey)
      ? 'it is for another key'
      : certificate.name !== config.station
        ? `it names ${certificate.name}`
        : certificate.notAfterMs <= means.now()
          ? `it ended ${instantOf(certificate.notAfterMs)}`
          : null;
    if (why !== null) throw new Fault('ENROLMENT_FOREIGN', { certificate: file, why });
    means.enrolment.replaceFile(config.bus.certificate, text);
    means.talk(`${config.bus.certificate}: ${certificate.name} until ${instantOf(certificate.notAfterMs)}`);
    return ExitCode.done;
  },
};
