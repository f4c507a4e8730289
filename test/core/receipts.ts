/** The receipts of the samples, signed by whom they should be, with one thing changed where a test wants it. */
import assert from 'node:assert/strict';
import type { z } from 'zod';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { type Role, type Statement, seal } from '../../runtime/core/messages/envelope.ts';
import { confirmation, registration, rejection, reservation } from '../../runtime/core/messages/receipts.ts';
import { confirmed, registered, rejected, reserved, signers } from './samples.ts';

export type Changes = Readonly<Record<string, unknown>>;

/** `by`: who signs instead of the right party. */
export function signed<P extends z.ZodType>(
  of: Statement<P>,
  good: object,
  changes: Changes = {},
  by: Role = of.signedBy,
): Promise<string> {
  return seal(of, { ...good, ...changes } as never, signers[by], nodeCrypto);
}

export const receiptOf = {
  reservation: (changes?: Changes) => signed(reservation, reserved, changes),
  confirmation: (changes?: Changes) => signed(confirmation, confirmed, changes),
  registration: (changes?: Changes) => signed(registration, registered, changes),
  rejection: (changes?: Changes) => signed(rejection, rejected, changes),
} as const;

/** One thing changed, by the name of what it is. */
export type Table = Readonly<Record<string, Changes>>;

type Judge = (changes: Changes) => Promise<unknown>;

/** Each change is refused, with one of the codes that hold the line. */
export async function refusesEach(
  table: Table,
  judge: Judge,
  codes: readonly FaultCode[] = ['RECEIPT_INVALID'],
): Promise<void> {
  for (const [name, changes] of Object.entries(table))
    await assert.rejects(
      judge(changes),
      (error: unknown) => isFault(error) && codes.includes(error.code),
      `accepted: ${name}`,
    );
}

/** Each change is refused for the reason it stands under, not for another that happens to hold too. */
export async function refusesBecause(
  table: Readonly<Record<string, readonly Changes[]>>,
  judge: Judge,
): Promise<void> {
  for (const [why, cases] of Object.entries(table))
    for (const changes of cases)
      await assert.rejects(judge(changes), (error: unknown) => {
        assert.ok(isFault(error), String(error));
        assert.deepEqual([error.code, error.context.why], ['RECEIPT_INVALID', why]);
        return true;
      });
}
