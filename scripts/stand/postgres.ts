/**
 * A private PostgreSQL: reached by a Unix socket in a private directory alone, with fsync and checksums on.
 * PostgreSQL refuses root; started by root it runs in a user namespace where root has another number.
 *
 * @see initdb(1), postgres(1), user_namespaces(7)
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clearStale, socketDirectory } from './places.ts';
import { endWithParent, type Stand, startService } from './service.ts';

export interface PostgresStand extends Stand {
  /** For `host` of a client; the socket in it is named by the port. */
  readonly socketDirectory: string;
  readonly port: number;
  readonly user: string;
}

const USER = 'holdfast';
/** Names the socket; nothing listens on TCP. */
const PORT = 5432;
const VERSIONS = '/usr/lib/postgresql';
const COMMAND_DEADLINE_MS = 60_000;

const run = promisify(execFile);

/**
 * Starts the cluster in `directory`, made at the first start, and makes the databases that are missing.
 * `stop` is a fast shutdown, `crash` an immediate one.
 * @throws Error with the last lines of the log.
 */
export async function startPostgres(options: {
  readonly directory: string;
  readonly databases: readonly string[];
  /** Roles that may log in and own nothing. */
  readonly roles?: readonly string[];
}): Promise<PostgresStand> {
  const { directory } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const data = join(directory, 'data');
  const prefix = process.getuid?.() === 0 ? notAsRoot() : [];
  if (!existsSync(data)) await initialise(prefix, directory, data);
  clearStale(join(data, 'postmaster.pid'), 'postgres', []);
  const place = socketDirectory(directory, `.s.PGSQL.${PORT}`);
  const settings = [
    'listen_addresses=',
    // Signed statements are base64: the default compression tries long and gains nothing.
    'default_toast_compression=lz4',
    `unix_socket_directories=${place.path}`,
    'unix_socket_permissions=0700',
  ];
  const server = [
    program('postgres'),
    '-D',
    data,
    '-p',
    String(PORT),
    ...settings.flatMap((one) => ['-c', one]),
  ];
  const service = await startService({
    name: 'postgres',
    command: [...prefix, ...endWithParent('INT', server)],
    logFile: join(directory, 'postgres.log'),
    stopSignal: 'SIGINT',
    crashSignal: 'SIGQUIT',
    cleanUp: place.remove,
    ready: (log) => log.includes('database system is ready to accept connections'),
  });
  try {
    await createDatabases(place.path, options.databases);
    await createRoles(place.path, options.roles ?? []);
  } catch (error) {
    await service.stop();
    throw error;
  }
  return { ...service, socketDirectory: place.path, port: PORT, user: USER };
}

/** Into a directory of another name first: what was interrupted is never taken for a cluster. */
async function initialise(prefix: readonly string[], directory: string, data: string): Promise<void> {
  const unfinished = join(directory, 'data.new');
  rmSync(unfinished, { recursive: true, force: true });
  const trust = ['-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--data-checksums'];
  await execute([...prefix, program('initdb'), '-D', unfinished, ...trust]);
  renameSync(unfinished, data);
}

async function createDatabases(host: string, names: readonly string[]): Promise<void> {
  const login = ['-h', host, '-p', String(PORT), '-U', USER];
  const list = await execute([
    program('psql'),
    ...login,
    '-d',
    'postgres',
    '-Atc',
    'select datname from pg_database',
  ]);
  const present = new Set(list.split('\n'));
  for (const name of names) if (!present.has(name)) await execute([program('createdb'), ...login, name]);
}

async function createRoles(host: string, names: readonly string[]): Promise<void> {
  const ask = (text: string) =>
    execute([program('psql'), '-h', host, '-p', String(PORT), '-U', USER, '-d', 'postgres', '-Atc', text]);
  if (names.length === 0) return;
  const present = new Set((await ask('select rolname from pg_roles')).split('\n'));
  for (const name of names) if (!present.has(name)) await ask(`create role ${name} login`);
}

/**
 * Runs a command under the number of the account `postgres`, which is root's own number outside: files keep
 * their owner, and a private directory of root stays readable. initdb wants a number with a name.
 */
function notAsRoot(): string[] {
  const account = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'postgres');
  if (account === undefined) throw new Error('there is no account postgres: install postgresql');
  return ['unshare', '--user', `--map-user=${account[2]}`, `--map-group=${account[3]}`, '--'];
}

/** The newest installed version of a program of PostgreSQL; Debian keeps them off the PATH. */
function program(name: string): string {
  if (!existsSync(VERSIONS)) throw new Error(`${VERSIONS} is missing: install postgresql`);
  const newest = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0];
  return join(VERSIONS, newest ?? '', 'bin', name);
}

/** Standard output. @throws Error with what the command wrote on standard error. */
async function execute(command: readonly string[]): Promise<string> {
  const [file = '', ...rest] = command;
  const { stdout } = await run(file, rest, { timeout: COMMAND_DEADLINE_MS, cwd: '/' });
  return stdout;
}
