/** Starts our own programs as processes, with their logs in files, and starts a station again when it dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endWithParent } from '../stand/service.ts';

export interface ProgramOptions {
  readonly name: string;
  /** Compiled module, relative to dist. */
  readonly module: string;
  /** Its configuration, or all its arguments. */
  readonly config: string | readonly string[];
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Wraps the command: to start it inside a namespace. */
  readonly enter?: (argv: readonly string[]) => readonly string[];
  /** Text on standard output that says it is at work. */
  readonly ready: string;
  readonly deadlineMs?: number;
}

export interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stop(): Promise<void>;
}

const READY_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 8_000;
const LAST_WORDS_MS = 500;

/** Resolves when the program says it is ready. @throws Error with what it said on standard error */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const script = fileURLToPath(new URL(`../../${options.module}`, import.meta.url));
  // However the line ends, none of its programs outlives it.
  const given = typeof options.config === 'string' ? [options.config] : options.config;
  const argv = endWithParent('TERM', [process.execPath, '--enable-source-maps', script, ...given]);
  const [command, ...rest] = options.enter?.(argv) ?? argv;
  if (command === undefined) throw new RangeError('no command');
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
    detached: true,
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const said = follow(child, options.logFile);
  const deadline = new Promise<never>((_, reject) => {
    setTimeout(
      () => reject(new Error(`${options.name} is not ready in time\n${said.errors()}`)),
      options.deadlineMs ?? READY_DEADLINE_MS,
    ).unref();
  });
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const died = ended.then(async ({ code, signal }) => {
    // What it said last may still be on the way; a child of its own may hold the pipe open.
    await Promise.race([closed, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
    throw new Error(`${options.name} ended (${signal ?? code})\n${said.errors()}`);
  });
  try {
    await Promise.race([said.heard(options.ready), deadline, died]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    child,
    ended,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Copies the output into the log file and remembers the end of what came on standard error. */
function follow(child: ChildProcess, logFile: string) {
  let errors = '';
  let output = '';
  const listeners: (() => void)[] = [];
  child.stdout?.on('data', (data: Buffer) => {
    appendFileSync(logFile, data, { mode: 0o600 });
    output = (output + data.toString('utf8')).slice(-4096);
    for (const listener of listeners) listener();
  });
  child.stderr?.on('data', (data: Buffer) => {
    appendFileSync(logFile, data, { mode: 0o600 });
    errors = (errors + data.toString('utf8')).slice(-4096);
  });
  return {
    errors: () => errors.trim(),
    heard: (text: string) =>
      new Promise<void>((resolve) => {
        const check = (): void => {
          if (output.includes(text)) resolve();
        };
        listeners.push(check);
        check();
      }),
  };
}
