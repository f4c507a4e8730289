/** A station before it is enrolled: its configuration and an empty token of its own; and the bus authority, apart from it. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCertificateOffice, toPem } from '../../drivers/certificates/authority.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { provisionJournal } from '../../drivers/journal/leveldb.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import { SOFTHSM_MODULE } from '../../drivers/token/pkcs11/provision.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { serialFrom } from '../../runtime/core/pki/profile.ts';
import { p256KeyFile } from '../../scripts/laboratory/keys.ts';
import { createParties } from '../../scripts/simulation/parties.ts';
import { stationSettings } from '../../scripts/simulation/settings.ts';
import { holdfast } from '../cli/support.ts';
import type { Ended } from '../run-to-end.ts';

const PIN = '123456789012';
const DAY_MS = 86_400_000;

export interface StationRig {
  readonly directory: string;
  readonly config: string;
  readonly certificate: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly keyUri: string;
}

export interface AuthorityRig {
  readonly der: Uint8Array;
  readonly certificate: string;
  readonly key: string;
  readonly register: string;
  /** Options of every command that signs. */
  readonly options: readonly string[];
}

export async function makeAuthority(directory: string): Promise<AuthorityRig> {
  mkdirSync(directory, { recursive: true });
  const certificate = join(directory, 'ca.pem');
  const key = p256KeyFile(join(directory, 'ca.key'));
  const office = await openCertificateOffice();
  const terms = {
    serial: serialFrom(new Uint8Array(16).fill(7)),
    notBeforeMs: Date.now() - DAY_MS,
    notAfterMs: Math.floor((Date.now() + 365 * DAY_MS) / 1000) * 1000,
    commonName: 'test bus',
    pathLength: 0,
  };
  const made = await office.selfSign(terms, await openFileSigner(key));
  writeFileSync(certificate, toPem('CERTIFICATE', made.certificate));
  const register = join(directory, 'register');
  return {
    der: made.certificate,
    certificate,
    key,
    register,
    options: ['--ca', certificate, '--ca-key', key, '--register', register],
  };
}

/** An initialised token of SoftHSM, without keys. */
export async function makeStation(directory: string, name: string, ca: string): Promise<StationRig> {
  const tokens = join(directory, 'token');
  mkdirSync(tokens, { recursive: true });
  const conf = join(directory, 'softhsm2.conf');
  writeFileSync(conf, `directories.tokendir = ${tokens}\nlog.level = ERROR\n`);
  const environment = { SOFTHSM2_CONF: conf };
  const init = ['--init-token', '--free', '--label', name, '--pin', PIN, '--so-pin', PIN];
  execFileSync('softhsm2-util', init, { env: { ...process.env, ...environment }, stdio: 'pipe' });
  return settingsOf({ directory, name, ca, module: SOFTHSM_MODULE, pin: PIN, environment });
}

/** Configuration, PIN and journal of a station. */
export async function settingsOf(of: {
  readonly directory: string;
  readonly name: string;
  readonly ca: string;
  readonly module: string;
  readonly pin: string;
  readonly environment: Readonly<Record<string, string>>;
}): Promise<StationRig> {
  const { directory, name, ca, module, pin, environment } = of;
  mkdirSync(directory, { recursive: true });
  const pinFile = join(directory, 'pin');
  writeFileSync(pinFile, pin, { mode: 0o600 });
  const certificate = join(directory, 'bus.pem');
  const keyUri = `pkcs11:token=${name};object=tls-${name};type=private;pin-source=${pinFile}`;
  const parties = createParties(createSimulatedEntropy('enrolment'), [name], 0);
  const settings = {
    ...stationSettings({ name, index: 0, gate: 'controller' }, parties),
    token: { module, label: name, pinFile },
    bus: { host: '127.0.0.1', servername: 'broker', ca, certificate, key: { pkcs11: keyUri } },
  };
  const journal = join(directory, 'journal');
  await provisionJournal(journal, { journal: randomUUID(), station: name, created: instantOf(Date.now()) });
  Object.assign(settings.journal, { directory: journal, laboratoryFileSystem: true, freeBytesMin: 0 });
  const config = join(directory, 'station.json');
  writeFileSync(config, JSON.stringify(settings));
  return { directory, config, certificate, environment, keyUri };
}

/** Runs `holdfast enrol ...`; where it prints something it goes to `file`. */
export async function enrol(
  words: readonly string[],
  { file, station }: { readonly file?: string; readonly station?: StationRig } = {},
): Promise<Ended> {
  const ended = await holdfast(['enrol', ...words], station?.environment ?? {});
  if (file !== undefined && ended.code === 0) writeFileSync(file, ended.out);
  return ended;
}
