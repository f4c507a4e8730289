/** A compiled program as a child, run to its end. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A program that hangs is ended. */
const DEADLINE_MS = 30_000;

/** @param module named from the root of the project
 * @param environment added to that of the test; undefined takes a variable away
 * @param input given to its standard input; null where it has none */
export function runToEnd(
  module: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  input: string | null = null,
): Promise<Ended> {
  const script = fileURLToPath(new URL(`../${module}`, import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', script, ...args], {
    stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    timeout: DEADLINE_MS,
  });
  child.stdin?.end(input);
  const said = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
  });
}
