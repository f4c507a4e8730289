/** What a technician must be able to read of one that refuses. */
import assert from 'node:assert/strict';
import { type FaultCode, faults } from '../../runtime/core/faults.ts';
import { ExitCode } from '../../runtime/program.ts';
import type { Ended } from '../run-to-end.ts';

/** A frame of a stack trace: `    at open (file:///…:3:1)`. */
const STACK_FRAME = /^\s+at /m;

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
