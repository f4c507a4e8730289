/** Two programs, the output of the first as input of the second; both must end well, in time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';

/** Words that a program said last, for the fault. */
const SAID_CHARACTERS_MAX = 400;

export interface PipedProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** File descriptor to read from; nothing by default. */
  readonly input?: number;
  /** File descriptor to write to; nobody by default. */
  readonly output?: number;
}

/** Why a program did not end well, in its own words. */
export class PipeFailed extends Error {
  override readonly name = 'PipeFailed';
  readonly program: string;
  constructor(program: string, why: string) {
    super(`${program}: ${why}`);
    this.program = program;
  }
}

/** @throws PipeFailed of the first of them that failed */
export async function pipePrograms(
  first: PipedProgram,
  second: PipedProgram,
  deadlineMs: number,
): Promise<void> {
  const from = start(first, ['pipe', first.input]);
  const to = start(second, [second.output, 'pipe']);
  const kill = (): void => {
    for (const { child } of [from, to]) child.kill('SIGKILL');
  };
  const deadline = setTimeout(kill, deadlineMs);
  try {
    const { stdout } = from.child;
    const { stdin } = to.child;
    if (stdout === null || stdin === null) throw new PipeFailed(first.program, 'has no pipe');
    const piped = pipeline(stdout, stdin).catch(() => undefined); // Whoever broke off says so by its own end.
    const results = await Promise.allSettled([from.ended, to.ended]);
    await piped;
    // What reads an end that came too early complains as well: the one that broke off first is to blame.
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  } finally {
    clearTimeout(deadline);
    kill();
  }
}

function start(
  { program, args, environment = {} }: PipedProgram,
  [stdout, stdin]: readonly ['pipe' | number | undefined, 'pipe' | number | undefined],
): { readonly child: ChildProcess; readonly ended: Promise<void> } {
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: [stdin ?? 'ignore', stdout ?? 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_CHARACTERS_MAX);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (error) => reject(new PipeFailed(program, error.message)));
    child.on('close', (code, signal) =>
      code === 0 ? resolve() : reject(new PipeFailed(program, said.trim() || `ended by ${signal ?? code}`)),
    );
  });
  return { child, ended };
}
