/** A fault on standard error, as people read it or as JSON, and the exit code that belongs to it. */
import { faultText } from '../core/fault-text.ts';
import { asFault, type Fault } from '../core/faults.ts';
import { ExitCode } from '../program.ts';
import type { Means } from './means.ts';

export function showFault(fault: Fault, json: boolean, means: Pick<Means, 'talk'>): number {
  means.talk(json ? JSON.stringify({ fault: faultJson(fault) }) : faultText(fault));
  return fault.code === 'USAGE' ? ExitCode.usage : ExitCode.fault;
}

/** The form in which `--json` shows a fault. */
export function faultJson(fault: Fault): object {
  const { title, cause, remedy, disposition } = fault.definition;
  return { code: fault.code, title, cause, remedy, disposition, context: fault.context };
}

/** What no command foresaw, with the words of the error and without its stack. */
export function unforeseen(error: unknown): Fault {
  return asFault(error, 'UNEXPECTED', { error: error instanceof Error ? error.message : String(error) });
}
