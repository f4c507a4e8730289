/**
 * `npm run chaos`: the real programs on the real components, while processes die, disks fill and wires are cut.
 * `-- --rounds N --seed S --only KIND,... --json --keep`. It runs in network and mount namespaces of its own.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chaosRun } from './chaos/chaos-run.ts';
import { nemeses } from './chaos/nemeses.ts';
import { problemsOf, roundLine, strikesByKind, summaryLines } from './chaos/report.ts';

/** Mounts of the outside come in and none goes out; those made in here reach the namespaces of our children. */
const SHARED = 'mount --make-rshared / && exec "$@"';
/** Set in the process that runs inside the namespaces. */
const INSIDE = 'HOLDFAST_CHAOS_INSIDE';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

if (values.list)
  for (const { kind, mayEnd, expects } of nemeses)
    process.stdout.write(
      `${kind.padEnd(30)} ${expects}${mayEnd.length > 0 ? ` [ends ${mayEnd.join(', ')}]` : ''}\n`,
    );
else process.exitCode = process.env[INSIDE] === undefined ? await enter() : await run();

/** Runs this very command again where nobody else's network and mounts are. */
function enter(): Promise<number> {
  const command = ['setpriv', '--pdeathsig', 'TERM', '--', process.execPath, ...process.execArgv];
  const own = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const child = spawn(
    'unshare',
    [
      ...own,
      '--net',
      '--mount',
      '--propagation',
      'slave',
      'sh',
      '-c',
      SHARED,
      'sh',
      ...command,
      ...process.argv.slice(1),
    ],
    { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } },
  );
  // The run inside ends in order; this process waits for it.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function run(): Promise<number> {
  const only = values.only?.split(',') ?? null;
  const unknown = only?.filter((kind) => !nemeses.some((nemesis) => nemesis.kind === kind)) ?? [];
  if (unknown.length > 0) throw new RangeError(`no such kind: ${unknown.join(', ')}; --list names them`);
  const chosen = nemeses.filter(({ kind }) => only?.includes(kind) ?? true);
  for (const { kind, impossible } of chosen) {
    const why = impossible?.() ?? null;
    if (why !== null) process.stderr.write(`NOT TRIED: ${kind}: ${why}\n`);
  }
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'));
  const report = await chaosRun({
    directory,
    rounds: Number(values.rounds),
    seed: values.seed,
    nemeses: chosen.filter(({ impossible }) => (impossible?.() ?? null) === null),
    onRound: (outcome) => process.stderr.write(`${roundLine(outcome)}\n`),
  });
  const problems = problemsOf(report);
  if (values.json)
    process.stdout.write(
      `${JSON.stringify({ ...report, strikes: Object.fromEntries(strikesByKind(report)), problems })}\n`,
    );
  for (const line of summaryLines(report)) process.stderr.write(`${line}\n`);
  for (const problem of problems) process.stderr.write(`✗ ${problem}\n`);
  if (problems.length > 0) {
    const same = values.only === undefined ? '' : ` --only ${values.only}`;
    process.stderr.write(
      `again: npm run chaos -- --rounds ${report.outcomes.length} --seed '${report.seed}'${same}\n`,
    );
  }
  if (problems.length > 0 || values.keep)
    process.stderr.write(`logs and journals are kept in ${directory}\n`);
  else rmSync(directory, { recursive: true, force: true });
  return problems.length === 0 ? 0 : 1;
}
