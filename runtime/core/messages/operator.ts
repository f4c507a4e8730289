/**
 * Operators: the order by which officers register one, how a badge becomes a pseudonym, and what the command line tells the
 * backend about them. A badge is in an order, in memory and encrypted on the bus, and nowhere else.
 */
import { z } from 'zod';
import { type Bytes, fromText, toHex } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { hmacSha256 } from '../crypto/hmac.ts';
import type { Crypto } from '../ports.ts';
import { hex, instant, jws } from './fields.ts';
import { instruction } from './instruction.ts';

/** What the reader or the scanner types. */
export const badgeNumber = z.string().regex(/^[\x21-\x7e]{4,64}$/);
export const pseudonym = z
  .string()
  .regex(/^op-[0-9a-f]{32}$/)
  .meta({
    description: 'An operator, where nobody can be told apart from it without the key of the backend.',
  });
/** Shown to the technician, and in no journal. */
export const operatorName = z.string().regex(/^[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N} .'’-]{0,63}$/u);

export const operatorOrder = z.strictObject({
  contract: z.literal('holdfast/operator-order-1'),
  name: operatorName,
  badge: badgeNumber,
  salt: hex.length(32).meta({ description: 'Drawn for this order: its hash tells nobody the badge.' }),
  madeAt: instant,
});
export type OperatorOrder = z.output<typeof operatorOrder>;

const removal = z.strictObject({
  pseudonym,
  forget: z.boolean().meta({
    description: 'Whether the key is deleted too: from then on nothing leads from the pseudonym to a person.',
  }),
});
export type OperatorRemoval = z.output<typeof removal>;

export const registerOperatorInstruction = instruction({
  name: 'register-operator',
  to: 'backend',
  body: z.strictObject({ order: operatorOrder, approvals: z.array(jws).max(16) }),
  answer: z.strictObject({ pseudonym }),
});

export const removeOperatorInstruction = instruction({
  name: 'remove-operator',
  to: 'backend',
  body: removal.extend({ approvals: z.array(jws).max(16) }),
  answer: z.strictObject({ pseudonym, leafIndex: z.int().min(0) }),
});

/** Operators that a backend knows at a time. */
export const OPERATORS_MAX = 4096;

export const listOperatorsInstruction = instruction({
  name: 'list-operators',
  to: 'backend',
  body: z.strictObject({}),
  answer: z.strictObject({
    operators: z
      .array(z.strictObject({ pseudonym, name: operatorName, removedAt: instant.nullable() }))
      .max(OPERATORS_MAX),
  }),
});

/** What officers approve. @returns SHA-256, hexadecimal */
export function operatorOrderHash(order: OperatorOrder, { sha256 }: Pick<Crypto, 'sha256'>): string {
  return toHex(sha256(fromText(canonicalJson(order))));
}

/** What officers approve. @returns SHA-256, hexadecimal */
export function operatorRemovalHash(
  { pseudonym: of, forget }: OperatorRemoval,
  { sha256 }: Pick<Crypto, 'sha256'>,
): string {
  const order = { contract: 'holdfast/operator-removal-1', pseudonym: of, forget };
  return toHex(sha256(fromText(canonicalJson(order))));
}

/** Bytes of the HMAC that a pseudonym shows: no two operators have the same. */
const PSEUDONYM_BYTES = 16;

/** @param key of this operator alone, 32 bytes */
export function pseudonymOf(badge: string, key: Bytes, { sha256 }: Pick<Crypto, 'sha256'>): string {
  const code = hmacSha256(key, fromText(`holdfast/badge-1 ${badge}`), sha256);
  return `op-${toHex(code.subarray(0, PSEUDONYM_BYTES))}`;
}
