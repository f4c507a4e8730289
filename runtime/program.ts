/** Runs a program to its end: faults are shown as people read them, signals end it at a safe point. */
import { faultText } from './core/fault-text.ts';
import { asFault } from './core/faults.ts';

/** Exit codes of every program and command. */
export const ExitCode = { done: 0, fault: 1, usage: 2, held: 3 } as const;

export interface Running {
  /** Settles when the program has ended by itself. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Longest orderly end; after it the process is simply over, which every program survives. */
const STOP_DEADLINE_MS = 5_000;

/** @param start opens everything and resolves when the program is at work */
export async function runProgram(start: () => Promise<Running>): Promise<void> {
  try {
    const running = await start();
    const stop = (): void => {
      setTimeout(() => process.exit(ExitCode.done), STOP_DEADLINE_MS).unref();
      running.stop().then(() => process.exit(ExitCode.done), endWith);
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    process.stdout.write(`${JSON.stringify({ event: 'ready', pid: process.pid })}\n`);
    await running.ended;
    await running.stop();
    process.exit(ExitCode.done);
  } catch (error) {
    endWith(error);
  }
}

function endWith(error: unknown): never {
  const fault = asFault(error, 'UNEXPECTED', {
    error: error instanceof Error ? error.message : String(error),
  });
  process.stderr.write(`${faultText(fault)}\n`);
  process.exit(ExitCode.fault);
}
