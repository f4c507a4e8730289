/** A private service as a child process: started with a deadline, its log in a file, ended by its own pid. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A service that runs. It ends with the process that started it, however that ends. */
export interface Stand extends AsyncDisposable {
  readonly pid: number;
  /** Settles when the service has ended, however it did. */
  readonly ended: Promise<void>;
  /** Ends the service in its own orderly way. Every call waits for the same end. */
  stop(): Promise<void>;
  /** Ends the service as a crash would; the directory stays as the crash left it. */
  crash(): Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard output and error of the service; emptied at each start. */
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  readonly crashSignal: NodeJS.Signals;
  /** Asked again and again until true. `log`: what the service has written so far. */
  readonly ready: (log: string, pid: number) => boolean | Promise<boolean>;
  readonly deadlineMs?: number;
  /** Called once the service has ended, or has failed to start. */
  readonly cleanUp?: () => void;
}

/** Between two questions whether the service is ready. */
const POLL_MS = 20;
const START_DEADLINE_MS = 20_000;
/** An orderly end that takes longer is cut short. */
const STOP_DEADLINE_MS = 15_000;
const LOG_LINES_SHOWN = 15;

/** Resolves when the service is ready. @throws Error with the last lines of its log. */
export async function startService(options: ServiceOptions): Promise<Stand> {
  const log = openSync(options.logFile, 'w', 0o600);
  const [program, ...rest] = options.command;
  if (program === undefined) throw new RangeError('no command');
  const child = spawn(program, rest, {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.environment },
    // A Ctrl-C in the terminal reaches only the program that composes the services: it decides their order.
    detached: true,
  });
  closeSync(log);
  let failure: Error | null = null;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = error;
      resolve();
    });
    child.once('exit', () => resolve());
  });
  let over = false;
  void ended.then(() => {
    over = true;
    options.cleanUp?.();
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (over) return;
    child.kill(signal);
    await Promise.race([ended, sleep(STOP_DEADLINE_MS, undefined, { ref: false })]);
    if (over) return;
    child.kill('SIGKILL');
    await ended;
  };
  const deadlineMs = options.deadlineMs ?? START_DEADLINE_MS;
  const until = performance.now() + deadlineMs;
  while (!(await isReady(options, child.pid))) {
    const late = performance.now() > until;
    if (!over && !late) {
      await sleep(POLL_MS);
      continue;
    }
    const what = over ? 'ended at once' : `was not ready after ${deadlineMs} ms`;
    await end('SIGKILL');
    throw new Error(`${options.name} ${what}; its log ends:\n${lastLines(options.logFile)}`, {
      cause: failure,
    });
  }
  let stopping: Promise<void> | null = null;
  const once = (signal: NodeJS.Signals): Promise<void> => {
    stopping ??= end(signal);
    return stopping;
  };
  return {
    pid: child.pid ?? 0,
    ended,
    stop: () => once(options.stopSignal),
    crash: () => once(options.crashSignal),
    [Symbol.asyncDispose]: () => once(options.stopSignal),
  };
}

/** The command, with the wish that the kernel sends it `signal` when its parent dies, even by SIGKILL. */
export function endWithParent(signal: 'TERM' | 'INT' | 'KILL', command: readonly string[]): string[] {
  return ['setpriv', '--pdeathsig', signal, '--', ...command];
}

async function isReady(options: ServiceOptions, pid: number | undefined): Promise<boolean> {
  if (pid === undefined) return false;
  return options.ready(readFileSync(options.logFile, 'utf8'), pid);
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
}
