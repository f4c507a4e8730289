/** Records what three lives of a process do to a journal: one stopped, one killed, one stopped after that. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Operation, operationsOf, RECORDED_CALLS } from './trace.ts';

const RUN = fileURLToPath(new URL('./recorded-run.js', import.meta.url));
const LIVES = ['first', 'killed', 'last'] as const;
const DEADLINE_MS = 120_000;

export interface Recording {
  /** The directory whose disk was recorded; the journal is `journal` in it. */
  readonly top: string;
  readonly operations: readonly Operation[];
}

/**
 * @param directory for the journal and the trace
 * @param run entries of each life, and bytes that each entry carries besides
 */
export function record(
  directory: string,
  run: { readonly entries: number; readonly bytes: number },
): Recording {
  const top = join(directory, 'disk');
  const trace = join(directory, 'trace');
  mkdirSync(top, { recursive: true });
  const lives = LIVES.map(
    (life) =>
      `"$0" ${JSON.stringify(RUN)} ${JSON.stringify(join(top, 'journal'))} ${life} ${run.entries} ${run.bytes}`,
  );
  const command = [
    ...['-f', '--seccomp-bpf', '-yy', '-xx', '-s', String(2 * 1024 * 1024), '-e', `trace=${RECORDED_CALLS}`],
    ...['-o', trace, 'sh', '-c', lives.join('; '), process.execPath],
  ];
  const result = spawnSync('strace', command, {
    // One thread of the pool, and no ring of requests past the kernel's doors: each call is seen, in its order.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' },
    encoding: 'utf8',
    timeout: DEADLINE_MS,
  });
  if (result.status !== 0) throw new Error(`strace: ${result.error ?? result.stderr}`);
  const operations = operationsOf(readFileSync(trace, 'latin1'));
  rmSync(trace);
  return { top, operations };
}
