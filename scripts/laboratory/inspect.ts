/** `./scripts/inspect`: runs a command of `holdfast` on a line that has ended, with the line's database for as long. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../../runtime/cli/command.ts';
import { commandsFor } from '../../runtime/cli/commands.ts';
import { ExitCode } from '../../runtime/program.ts';
import { type PostgresStand, startPostgres } from '../stand/postgres.ts';

const HELP = `Usage: ./scripts/inspect [--dir DIR] COMMAND ...

Runs a command of holdfast on a line. While the line does not run, its database is started for the command.

  --dir DIR       directory of the line (default var/line)

  ./scripts/inspect status
  ./scripts/inspect journal -n 20
  ./scripts/inspect fleet list
  ./scripts/inspect fleet show --eid EID
  ./scripts/inspect audit verify
  ./scripts/inspect transcript verify --eid EID --token`;

/** Options by which commands are told of a database of the line. */
const ASKED = [
  { option: 'database', database: 'fleet' },
  { option: 'ledger', database: 'ledger' },
] as const;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const { directory, words } = partsOf(argv);
  if (words.length === 0 || words[0] === '--help' || words[0] === '-h') {
    const asked = words.length > 0;
    (asked ? process.stdout : process.stderr).write(`${HELP}\n`);
    return asked ? ExitCode.done : ExitCode.usage;
  }
  try {
    return await inspect(resolve(directory), words);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`The database of the line could not be started: ${why}\n`);
    return ExitCode.fault;
  }
}

/** Ours is the `--dir` before the command; one after it belongs to the command. */
function partsOf(argv: readonly string[]): { readonly directory: string; readonly words: readonly string[] } {
  const [first = '', second, ...rest] = argv;
  if (first === '--dir' && second !== undefined) return { directory: second, words: rest };
  if (first.startsWith('--dir=')) return { directory: first.slice('--dir='.length), words: argv.slice(1) };
  return { directory: 'var/line', words: argv };
}

async function inspect(line: string, words: readonly string[]): Promise<number> {
  const options = (await commandIn(words))?.options ?? {};
  const has = (option: string): boolean =>
    words.some((word) => word === `--${option}` || word.startsWith(`--${option}=`));
  const place = words[0] === 'journal' ? onlyStation(line) : line;
  const dir = 'dir' in options && !has('dir') ? ['--dir', place] : [];
  const asks = ASKED.find(({ option }) => option in options && !has(option));
  const wanted = asks !== undefined && !has('dir') && !has('help');
  const postgres = wanted && !isRunning(line) ? await startDatabase(line) : null;
  try {
    const database =
      postgres === null || asks === undefined ? [] : [`--${asks.option}`, urlOf(postgres, asks.database)];
    return await holdfast([...words, ...dir, ...database]);
  } finally {
    await postgres?.stop();
  }
}

async function commandIn(words: readonly string[]): Promise<Command | undefined> {
  return (await commandsFor(words[0])).find(
    ({ name }) => name === words.slice(0, name.split(' ').length).join(' '),
  );
}

/** A journal is one station's; which one of several, the person must say. */
function onlyStation(line: string): string {
  const stations = existsSync(line) ? readdirSync(line).filter((name) => /^station-\d+$/.test(name)) : [];
  return stations.length === 1 ? join(line, stations[0] ?? '') : line;
}

/** A line that runs has its database, and only one may. */
function isRunning(line: string): boolean {
  const file = join(line, 'running');
  return existsSync(file) && existsSync(`/proc/${readFileSync(file, 'utf8').trim()}/cmdline`);
}

/** Null where there was never one: the command says so better. */
async function startDatabase(line: string): Promise<PostgresStand | null> {
  const directory = join(line, 'postgres');
  if (!existsSync(join(directory, 'data'))) return null;
  return startPostgres({ directory, databases: [] });
}

function urlOf({ socketDirectory, port, user }: PostgresStand, database: string): string {
  return `postgresql:///${database}?host=${encodeURIComponent(socketDirectory)}&port=${port}&user=${user}`;
}

/** A Ctrl-C reaches the command itself; here it is only waited for. */
function holdfast(argv: readonly string[]): Promise<number> {
  const program = fileURLToPath(new URL('../../runtime/cli/main.js', import.meta.url));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const { DATABASE_URL: _, ...env } = process.env; // The line's own database is meant.
  const child = spawn(process.execPath, ['--enable-source-maps', program, ...argv], {
    stdio: 'inherit',
    env,
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => done(code ?? ExitCode.fault));
  });
}
