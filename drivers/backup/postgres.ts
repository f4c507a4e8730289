/**
 * Encrypted backup of a database: one consistent snapshot by pg_dump, encrypted by age to a public key before it touches
 * a disk. Whoever makes backups cannot read them.
 *
 * @see pg_dump(1), pg_restore(1), age(1)
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import { syncDirectory } from '../journal/durable-files.ts';
import { type PipedProgram, PipeFailed, pipePrograms } from './pipe.ts';

/** A fleet of millions takes minutes. */
const DEADLINE_MS = 6 * 3_600_000;

/** @param recipient age public key, `age1…`
 * @throws Fault BACKUP_FAILED: there is no file then */
export async function backUpDatabase(options: {
  readonly url: string;
  readonly recipient: string;
  readonly file: string;
}): Promise<void> {
  const { url, recipient, file } = options;
  const unfinished = `${file}.part`;
  try {
    const output = openSync(unfinished, 'wx', 0o600);
    try {
      const encrypt: PipedProgram = { program: 'age', args: ['--encrypt', '--recipient', recipient], output };
      const dump = ['--format=custom', '--no-owner', '--no-acl'];
      await pipePrograms({ program: 'pg_dump', args: dump, environment: loginOf(url) }, encrypt, DEADLINE_MS);
      fsyncSync(output);
    } finally {
      closeSync(output);
    }
    renameSync(unfinished, file);
    syncDirectory(dirname(resolve(file)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(unfinished, { force: true });
    throw failed('backup', error);
  }
}

/** Into an empty database, all of it or nothing. @param identity file with the age secret key
 * @throws Fault BACKUP_FAILED */
export async function restoreDatabase(options: {
  readonly file: string;
  readonly identity: string;
  readonly url: string;
}): Promise<void> {
  const { file, identity, url } = options;
  try {
    const input = openSync(file, 'r');
    try {
      const decrypt: PipedProgram = { program: 'age', args: ['--decrypt', '--identity', identity], input };
      const environment = loginOf(url);
      const whole = ['--single-transaction', '--exit-on-error', '--no-owner', '--no-acl'];
      const args = [...whole, `--dbname=${environment.PGDATABASE ?? ''}`];
      await pipePrograms(decrypt, { program: 'pg_restore', args, environment }, DEADLINE_MS);
    } finally {
      closeSync(input);
    }
  } catch (error) {
    throw failed('restore', error);
  }
}

function failed(what: string, error: unknown): Fault {
  if (error instanceof PipeFailed)
    return new Fault('BACKUP_FAILED', { what, program: error.program, why: error.message }, { cause: error });
  const { message } = error as Error;
  return new Fault('BACKUP_FAILED', { what, why: message }, { cause: error });
}

/** What the programs of PostgreSQL read from their environment: a password has no place among arguments, which
 * everybody on the machine may read. */
function loginOf(text: string): Readonly<Record<string, string>> {
  const url = new URL(text);
  const { searchParams } = url;
  const given: Readonly<Record<string, string | null>> = {
    PGHOST: searchParams.get('host') ?? decodeURIComponent(url.hostname),
    PGPORT: searchParams.get('port') ?? url.port,
    PGUSER: searchParams.get('user') ?? decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    PGSSLMODE: searchParams.get('sslmode'),
    PGSSLROOTCERT: searchParams.get('sslrootcert'),
  };
  const said = Object.entries(given).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return { ...Object.fromEntries(said), PGCONNECT_TIMEOUT: '10' };
}
