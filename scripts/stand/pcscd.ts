/**
 * A private pcscd with virtual readers, in its own network and mount namespace: vpcd listens on every
 * interface, so it gets one where there is nobody else. Needs no root. At most 16 readers.
 *
 * @see pcscd(8), reader.conf(5), namespaces(7)
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearStale, socketDirectory } from './places.ts';
import { endWithParent, type Stand, startService } from './service.ts';

export interface PcscdStand extends Stand {
  /** For PCSCLITE_CSOCK_NAME; reachable from outside the namespace. */
  readonly socket: string;
  /** As pcscd names them, one per reader. */
  readonly readerNames: readonly string[];
  /** Where the card of each reader connects to, on 127.0.0.1 inside the namespace. */
  readonly vpcdPorts: readonly number[];
  readonly namespacePid: number;
  /** The command that runs `argv` inside the namespace, with the rights it has outside. */
  enter(argv: readonly string[]): readonly string[];
}

/** Slots of one vpcd library. Its state is kept by slot alone, so each pair of readers has its own copy. */
const SLOTS = 2;
/** PCSCLITE_MAX_READERS_CONTEXTS of pcsc-lite 1.9. */
const READERS_MAX = 16;
/** 0x8C7B, the port of vpcd's first slot. */
const FIRST_PORT = 35963;
const LIBRARY = '/usr/lib/pcsc/drivers/serial/libifdvpcd.so';

/**
 * The host route with quickack answers each segment at once. Without it vpcd, which sends length and command
 * in two writes, waits 44 ms per command for an acknowledgement the card's kernel delays.
 */
const INSIDE = `set -e
mount -t tmpfs -o mode=755 run /run
mkdir /run/pcscd
mount --bind "$1" /run/pcscd
ip link set lo up
ip route replace table local local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1 quickack 1
shift
exec "$@"`;

/** @throws Error when pcscd, vpcd or namespaces are missing, with the last lines of the log. */
export async function startPcscd(options: {
  readonly directory: string;
  readonly readers: number;
  /** A process in the network of a pcscd before this one, whose cards find their readers again. */
  readonly networkOf?: number;
}): Promise<PcscdStand> {
  const { directory, readers } = options;
  if (readers < 1 || readers > READERS_MAX) throw new RangeError(`1 to ${READERS_MAX} readers`);
  if (!existsSync(LIBRARY)) throw new Error(`${LIBRARY} is missing: install vsmartcard-vpcd`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const run = socketDirectory(directory, 'pcscd.comm');
  const socket = join(run.path, 'pcscd.comm');
  clearStale(join(run.path, 'pcscd.pid'), 'pcscd', [socket]);
  const ports = Array.from({ length: Math.ceil(readers / SLOTS) * SLOTS }, (_, i) => FIRST_PORT + i);
  const pcscd = ['pcscd', '--foreground', '--info', '--config', writeReaders(directory, readers)];
  const joined = options.networkOf === undefined ? [] : networkOf(options.networkOf);
  const fresh = joined.length > 0 ? [] : [...(asRoot() ? [] : ['--user', '--map-root-user']), '--net'];
  const service = await startService({
    name: 'pcscd',
    command: [
      // What is unmounted outside must not stay mounted in here.
      ...[...joined, 'unshare', ...fresh, '--mount', '--propagation', 'slave'],
      ...['sh', '-c', INSIDE, 'sh', run.path, ...endWithParent('TERM', pcscd)],
    ],
    logFile: join(directory, 'pcscd.log'),
    stopSignal: 'SIGTERM',
    crashSignal: 'SIGKILL',
    cleanUp: run.remove,
    ready: (log, pid) =>
      existsSync(socket) && namesIn(log).length >= ports.length && listening(pid, ports.slice(0, readers)),
  });
  return {
    ...service,
    socket,
    readerNames: namesIn(readFileSync(join(directory, 'pcscd.log'), 'utf8')).slice(0, readers),
    vpcdPorts: ports.slice(0, readers),
    namespacePid: service.pid,
    enter: (argv) => [...networkOf(service.pid), ...argv],
  };
}

/** The beginning of a command that runs in the network of a process, with the rights it has outside. */
function networkOf(pid: number): string[] {
  const userNamespace = asRoot() ? [] : ['--user', '--preserve-credentials'];
  return ['nsenter', '-t', String(pid), ...userNamespace, '--net', '--'];
}

/** The configuration file, with one library copy and one entry per pair of readers. */
function writeReaders(directory: string, readers: number): string {
  const entries = Array.from({ length: Math.ceil(readers / SLOTS) }, (_, i) => {
    const library = join(directory, `libifdvpcd${i + 1}.so`);
    copyFileSync(LIBRARY, library);
    const port = FIRST_PORT + SLOTS * i;
    return [
      `FRIENDLYNAME "Holdfast virtual ${i + 1}"`,
      `DEVICENAME   /dev/null:${port}`,
      `LIBPATH      ${library}`,
      `CHANNELID    ${port}`,
    ].join('\n');
  });
  const file = join(directory, 'reader.conf');
  writeFileSync(file, `${entries.join('\n\n')}\n`);
  return file;
}

/** The readers that pcscd says it started, in the order of their ports. */
function namesIn(log: string): string[] {
  return [...log.matchAll(/Attempting startup of (.+?) using /g)].map((match) => match[1] ?? '');
}

/** Whether the process's own network namespace has a listener on each of the ports. */
function listening(pid: number, ports: readonly number[]): boolean {
  const table = ['tcp', 'tcp6'].map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8')).join('\n');
  return ports.every((port) => {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    return new RegExp(`:${hex} [0-9A-F]+:0000 0A`).test(table);
  });
}

function asRoot(): boolean {
  return process.getuid?.() === 0;
}
