/** The receipts of the samples, signed by whom they should be, with one thing changed where a test wants it. */
import type { z } from 'zod';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
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
