/** Programs run to their end, and what a technician must be able to read of one that refuses. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type FaultCode, faults } from '../../runtime/core/faults.ts';
import { ExitCode } from '../../runtime/program.ts';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A start that hangs is no refusal. */
const DEADLINE_MS = 30_000;
/** A frame of a stack trace: `    at open (file:///…:3:1)`. */
const STACK_FRAME = /^\s+at /m;

/** Runs a compiled program, named from the root of the project, to its end. */
export function runToEnd(
  module: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const script = fileURLToPath(new URL(`../../${module}`, import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    timeout: DEADLINE_MS,
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
  });
}

/** Title, cause and remedy of this fault, what it is about, and nothing that only a programmer reads. */
export function assertRefused(refusal: Ended, code: FaultCode, about: readonly string[]): void {
  assert.equal(refusal.code, ExitCode.fault, refusal.err);
  assertReadable(refusal.err, code, about);
  assertNoTrace(refusal.err);
  assertNoTrace(refusal.out);
  assert.doesNotMatch(refusal.out, /"event":"ready"/);
}

/** The whole entry of the catalogue is in the text, and every word of `about`. */
export function assertReadable(text: string, code: FaultCode, about: readonly string[] = []): void {
  const { title, cause, remedy } = faults[code];
  for (const part of [`${title} (${code})`, cause, remedy, ...about])
    assert.ok(text.includes(part), `«${part}» is not in\n${text}`);
}

export function assertNoTrace(text: string): void {
  assert.doesNotMatch(text, STACK_FRAME);
}
