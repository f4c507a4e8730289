/**
 * A private mosquitto on loopback: MQTT 5, TLS 1.3, client certificates, and an access list by common name.
 *
 * @see mosquitto.conf(5)
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from './places.ts';
import { endWithParent, type Stand, startService } from './service.ts';

export interface MosquittoOptions {
  /** Holds configuration, log and persistent sessions; a second start goes on with them. */
  readonly directory: string;
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** PEM files. The list of revoked certificates must carry the label `X509 CRL`. */
  readonly certificates: {
    readonly authority: string;
    readonly certificate: string;
    readonly key: string;
    readonly revoked?: string;
  };
  /** Lines of acl_file. */
  readonly acl: string;
}

export interface MosquittoStand extends Stand {
  readonly host: string;
  readonly port: number;
  /** Re-reads access list, certificates and revoked certificates. Connected clients stay. */
  reload(): void;
}

const HOST = '127.0.0.1';
const CONNECT_DEADLINE_MS = 500;

/** @throws Error with the last lines of the log. */
export async function startMosquitto(options: MosquittoOptions): Promise<MosquittoStand> {
  const { directory } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const port = options.port || (await freePort());
  const file = join(directory, 'mosquitto.conf');
  writeFileSync(join(directory, 'acl'), options.acl, { mode: 0o600 });
  writeFileSync(file, configuration(options, port));
  const service = await startService({
    name: 'mosquitto',
    command: endWithParent('TERM', ['mosquitto', '-c', file]),
    logFile: join(directory, 'mosquitto.log'),
    stopSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
    ready: (log) => log.includes(' running') && accepts(port),
  });
  return { ...service, host: HOST, port, reload: () => process.kill(service.pid, 'SIGHUP') };
}

function configuration(options: MosquittoOptions, port: number): string {
  const { directory, certificates } = options;
  return [
    // Started by root, mosquitto would become a user that cannot read a private directory.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    // Nagle waits for an acknowledgement the other kernel delays: 45 ms per message.
    'set_tcp_nodelay true',
    'per_listener_settings false',
    // Unlike stdout it is written line by line: the start is read from it.
    'log_dest stderr',
    'persistence true',
    `persistence_location ${directory}/`,
    // Counted in changes, not in seconds: every change is saved.
    'autosave_on_changes true',
    'autosave_interval 1',
    'persistent_client_expiration 7d',
    'max_queued_messages 10000',
    'max_inflight_messages 100',
    'max_packet_size 262144',
    `listener ${port} ${HOST}`,
    `cafile ${certificates.authority}`,
    `certfile ${certificates.certificate}`,
    `keyfile ${certificates.key}`,
    ...(certificates.revoked === undefined ? [] : [`crlfile ${certificates.revoked}`]),
    'require_certificate true',
    'use_identity_as_username true',
    // Else any station could take another's client id and throw it out.
    'use_username_as_clientid true',
    'allow_anonymous false',
    'tls_version tlsv1.3',
    `acl_file ${join(directory, 'acl')}`,
    '',
  ].join('\n');
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port, timeout: CONNECT_DEADLINE_MS });
    const end = (accepted: boolean) => (): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}
