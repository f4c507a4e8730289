/**
 * Sets up tokens for a laboratory: a SoftHSM directory, random PINs, keys by the key policy and the constants
 * file. Every step is done only where it is missing, so it may be run again. A plant's HSM is set up in a
 * ceremony instead, and masters come into it wrapped.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { Fault, type FaultNote } from '../../../runtime/core/faults.ts';
import type { TokenRole } from '../../../runtime/core/key-policy.ts';

/** Where Debian installs SoftHSM. */
export const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';
/** Random bytes of a PIN. The OpenSSL engine (libp11 0.4.12) cuts a PIN of 32 characters, and so burns a try. */
const PIN_BYTES = 12;
/** A laboratory set-up takes less than a second; a module that hangs must not hang the script. */
const PROVISION_DEADLINE_MS = 60_000;

/** A token and all that a program needs to use it. */
export interface LaboratoryToken {
  readonly module: string;
  readonly label: string;
  readonly pinFile: string;
  readonly softHsmConf: string;
  /** 65-byte points of the signing keys by name. */
  readonly publicKeys: Readonly<Record<string, Bytes>>;
}

export interface GatewayToken extends LaboratoryToken {
  readonly constantsFile: string;
}

interface Place {
  /** Created if missing; holds configuration, PINs and the token's objects. */
  readonly directory: string;
  readonly label: string;
  readonly module?: string;
}

export interface GatewayTokenOptions extends Place {
  /** Masters by name (`transport-master`, `mdk-1`): 32 bytes to import, or generated inside. */
  readonly masters: Readonly<Record<string, Bytes | 'generated'>>;
  /** Key versions of each master that constants are computed for; scratch versions too. */
  readonly keyVersions: Readonly<Record<string, readonly number[]>>;
  /** `envelope`, `confirmation`, `issuer-<name>`. */
  readonly signingKeys: readonly string[];
}

/** @throws Fault TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG, HSM_FAILED */
export async function createGatewayToken(options: GatewayTokenOptions): Promise<GatewayToken> {
  const constantsFile = join(options.directory, 'constants.json');
  const { masters, keyVersions, signingKeys } = options;
  const token = await provision(options, {
    role: 'gateway',
    masters,
    signingKeys,
    constants: { constantsFile, keyVersions },
  });
  return { ...token, constantsFile };
}

/** A token with nothing in it, as it is before its ceremony.
 * @throws Fault TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG, HSM_FAILED */
export function createBareToken(options: Place & { readonly role: TokenRole }): Promise<LaboratoryToken> {
  return provision(options, { role: options.role, masters: {}, signingKeys: [], constants: null });
}

export interface StationToken extends LaboratoryToken {
  /** For `privateKeyIdentifier` of a TLS client whose OpenSSL engine is `pkcs11`. RFC 7512. */
  readonly tlsKeyUri: string;
  readonly tlsPublicKey: Bytes;
  readonly envelopePublicKey: Bytes;
}

/** A station's keys: `tls-<station>` for the message broker and `envelope` for its messages. */
export async function createStationToken(
  options: Place & { readonly station: string },
): Promise<StationToken> {
  const tlsKey = `tls-${options.station}`;
  const job = { role: 'station', masters: {}, signingKeys: [tlsKey, 'envelope'], constants: null } as const;
  const token = await provision(options, job);
  const { [tlsKey]: tlsPublicKey, envelope: envelopePublicKey } = token.publicKeys;
  if (tlsPublicKey === undefined || envelopePublicKey === undefined)
    throw new Fault('HSM_FAILED', { reason: 'the token has no such key' });
  const label = encodeURIComponent(options.label);
  const tlsKeyUri = `pkcs11:token=${label};object=${tlsKey};type=private;pin-source=${token.pinFile}`;
  return { ...token, tlsKeyUri, tlsPublicKey, envelopePublicKey };
}

/** What the provisioning process is told to do. */
export interface ProvisionJob {
  readonly module: string;
  readonly label: string;
  readonly soPinFile: string;
  readonly pinFile: string;
  /** What the token may hold follows from what it is for. */
  readonly role: TokenRole;
  readonly masters: GatewayTokenOptions['masters'];
  readonly signingKeys: readonly string[];
  readonly constants: {
    readonly constantsFile: string;
    readonly keyVersions: GatewayTokenOptions['keyVersions'];
  } | null;
}

export type ProvisionReply =
  | { readonly kind: 'done'; readonly publicKeys: Readonly<Record<string, Bytes>> }
  | { readonly kind: 'failed'; readonly fault: FaultNote };

/** Where a token is, or will be. */
export function placeOfToken({
  directory,
  label,
  module = SOFTHSM_MODULE,
}: Place): Omit<LaboratoryToken, 'publicKeys'> {
  const [softHsmConf, pinFile] = [join(directory, 'softhsm2.conf'), join(directory, 'pin')];
  return { module, label, pinFile, softHsmConf };
}

async function provision(
  place: Place,
  work: Pick<ProvisionJob, 'role' | 'masters' | 'signingKeys' | 'constants'>,
): Promise<LaboratoryToken> {
  const { directory } = place;
  const { module, label, softHsmConf, pinFile } = placeOfToken(place);
  const objects = join(directory, 'objects');
  await mkdir(objects, { recursive: true, mode: 0o700 });
  const soPinFile = join(directory, 'so-pin');
  await writeMissing(
    softHsmConf,
    `directories.tokendir = ${objects}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n`,
  );
  await writeMissing(pinFile, randomBytes(PIN_BYTES).toString('hex'));
  await writeMissing(soPinFile, randomBytes(PIN_BYTES).toString('hex'));
  const job: ProvisionJob = { module, label, soPinFile, pinFile, ...work };
  const publicKeys = await runJob(job, softHsmConf);
  return { module, label, pinFile, softHsmConf, publicKeys };
}

async function writeMissing(path: string, content: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) await writeFile(path, content, { mode: 0o600 });
}

/** Runs the job in a process of its own: SoftHSM reads its configuration once, from the environment. */
function runJob(job: ProvisionJob, softHsmConf: string): Promise<Readonly<Record<string, Bytes>>> {
  const child = fork(new URL('./provision-child.js', import.meta.url), {
    serialization: 'advanced',
    env: { ...process.env, SOFTHSM2_CONF: softHsmConf },
    execArgv: [],
  });
  return new Promise((resolve, reject) => {
    let reply: ProvisionReply | null = null;
    const timer = setTimeout(() => child.kill('SIGKILL'), PROVISION_DEADLINE_MS);
    child.on('message', (message: ProvisionReply) => {
      reply = message;
      child.disconnect();
    });
    child.once('error', (cause) => reject(new Fault('TOKEN_UNAVAILABLE', {}, { cause })));
    child.once('exit', () => {
      clearTimeout(timer);
      if (reply?.kind === 'done') resolve(reply.publicKeys);
      else if (reply?.kind === 'failed') reject(new Fault(reply.fault.code, reply.fault.context));
      else reject(new Fault('HSM_FAILED', { reason: 'the provisioning process ended' }));
    });
    child.send(job);
  });
}
