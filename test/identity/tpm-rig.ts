/**
 * A TPM 2.0 in software behind its resource manager, as a station's board has one, and a token in it. tpm2-pkcs11 keeps
 * the keys in its store, wrapped: without the TPM that wrapped them they are of no use.
 */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithParent, startService } from '../../scripts/stand/service.ts';

export const TPM_PACKAGES = 'needs swtpm, tpm2-abrmd, libtpm2-pkcs11-1 and libtpm2-pkcs11-tools';

export interface TpmRig extends AsyncDisposable {
  /** For every program that uses the TPM. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @param state of the TPM: an empty directory is a TPM that was never used */
export async function startTpm(directory: string, state: string, store: string): Promise<TpmRig> {
  for (const path of [directory, state, store]) mkdirSync(path, { recursive: true });
  const log = (name: string): string => join(directory, `${name}.log`);
  const signals = { stopSignal: 'SIGTERM', crashSignal: 'SIGKILL' } as const;
  const bus = await startService({
    ...{ name: 'dbus-daemon', logFile: log('dbus'), ...signals },
    command: endWithParent('TERM', ['dbus-daemon', '--session', '--nofork', '--print-address']),
    ready: (said) => said.includes('unix:'),
  });
  const [address = ''] = /unix:\S+/.exec(readFileSync(log('dbus'), 'utf8')) ?? [];
  const port = freePair();
  const tpm = await startService({
    ...{ name: 'swtpm', logFile: log('swtpm'), ...signals },
    command: endWithParent('TERM', [
      ...[
        'swtpm',
        'socket',
        '--tpm2',
        '--tpmstate',
        `dir=${state}`,
        '--flags',
        'not-need-init,startup-clear',
      ],
      // The resource manager looks for the control channel on the port behind the other.
      ...['--server', `type=tcp,port=${port}`, '--ctrl', `type=tcp,port=${port + 1}`],
      ...['--log', `file=${log('swtpm-own')},level=1`],
    ]),
    ready: () => listens(port) && listens(port + 1),
  });
  const session = { DBUS_SESSION_BUS_ADDRESS: address };
  const manager = await startService({
    ...{ name: 'tpm2-abrmd', logFile: log('abrmd'), ...signals, environment: session },
    command: endWithParent('TERM', [
      ...['tpm2-abrmd', '--session', '--allow-root', `--tcti=swtpm:host=127.0.0.1,port=${port}`],
    ]),
    ready: () => owns(address),
  });
  const tcti = 'tabrmd:bus_type=session';
  return {
    environment: { ...session, TPM2_PKCS11_STORE: store, TPM2_PKCS11_TCTI: tcti, TPM2TOOLS_TCTI: tcti },
    [Symbol.asyncDispose]: async () => {
      for (const service of [manager, tpm, bus]) await service.stop();
    },
  };
}

/** A token without keys, by the maker's own tool. */
export function makeTpmToken({ environment }: TpmRig, label: string, pin: string): void {
  const run = (...words: readonly string[]): void => {
    execFileSync('tpm2_ptool', words, { env: { ...process.env, ...environment }, stdio: 'pipe' });
  };
  run('init');
  run('addtoken', '--pid=1', `--label=${label}`, `--sopin=${pin}`, `--userpin=${pin}`);
}

/** Below the ports that the kernel gives away, so that nobody takes the second meanwhile. */
const PAIRS = { from: 20_000, to: 32_000 } as const;

/** The first of two neighbouring ports that nobody has. */
function freePair(): number {
  const used = readFileSync('/proc/net/tcp', 'utf8');
  const isFree = (port: number): boolean =>
    !used.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `);
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(PAIRS.from, PAIRS.to);
    if (isFree(port) && isFree(port + 1)) return port;
  }
  throw new Error('no two neighbouring ports are free');
}

/** State 0A of /proc/net/tcp is LISTEN; a connection would be taken for the manager's. */
function listens(port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  return readFileSync('/proc/net/tcp', 'utf8').includes(wanted);
}

/** Whether the resource manager has taken its name on the session's bus. */
function owns(address: string): boolean {
  const words = ['--dest=org.freedesktop.DBus', '--print-reply', '/org/freedesktop/DBus'];
  const call = ['org.freedesktop.DBus.NameHasOwner', 'string:com.intel.tss2.Tabrmd'];
  const said = execFileSync('dbus-send', [`--bus=${address}`, ...words, ...call], { encoding: 'utf8' });
  return said.includes('true');
}
