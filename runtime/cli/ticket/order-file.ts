/** Files around an order: the order itself, approvals, tickets, and the setting that judges them. */
import { z } from 'zod';
import { trustedKeys } from '../../../config/parts.ts';
import { fromHex } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { type Quorum, quorumForm } from '../../core/messages/approval.ts';
import { type CloseOutDocument, closeOutDocument } from '../../core/messages/close-out.ts';
import type { TrustedKey } from '../../core/messages/envelope.ts';
import { type Order, orderForm } from '../../core/messages/ticket.ts';
import { objectionsTo } from '../../core/orders/order-check.ts';
import { type Arguments, textOf } from '../command.ts';
import type { Means } from '../means.ts';

/** Longest file of this kind. */
const CHARACTERS_MAX = 33_554_432;

/** An order that can be approved. @throws Fault ORDER_INVALID, FILE_UNREADABLE */
export function readOrder(file: string, means: Means): Order {
  const order = orderForm.safeParse(jsonIn(file, means));
  if (!order.success) {
    const [issue] = order.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw new Fault('ORDER_INVALID', {
      file,
      where: where.slice(0, 80),
      why: (issue?.message ?? '').slice(0, 200),
    });
  }
  const objections = objectionsTo(order.data, means.now());
  if (objections.length > 0) throw new Fault('ORDER_INVALID', { file, why: objections.join('; ') });
  return order.data;
}

/** What a dry run of `ticket close` printed. @throws Fault CLOSE_OUT_REFUSED, FILE_UNREADABLE */
export function readCloseOut(file: string, means: Means): CloseOutDocument {
  const printed = jsonIn(file, means);
  const {
    subject: _,
    differences: __,
    leafIndex: ___,
    ...rest
  } = { ...(printed as Record<string, unknown>) };
  const document = closeOutDocument.safeParse(rest);
  if (!document.success)
    throw new Fault('CLOSE_OUT_REFUSED', { file, why: 'not what ticket close --dry-run prints' });
  return document.data;
}

/** A JWS in a file, alone. @throws Fault FILE_UNREADABLE */
export function readJws(file: string, means: Means): string {
  const text = means.files.read(file).trim();
  if (text.length > CHARACTERS_MAX) throw new Fault('FILE_UNREADABLE', { file, why: 'too long' });
  return text;
}

/** Who judges: the keys and the quorum of a gateway or backend. */
export interface Judge {
  readonly trusted: readonly TrustedKey[];
  readonly quorum: Quorum;
}

export const judgeOption = {
  judge: {
    type: 'string',
    value: 'FILE',
    help: 'gateway.json or backend.json: its trusted keys and its ticketQuorum judge',
  },
} as const;

const judgeForm = z.object({ trusted: trustedKeys, ticketQuorum: quorumForm });

/** Null when none was named. @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
export function judgeIn(given: Arguments, means: Means): Judge | null {
  const file = textOf(given, 'judge');
  if (file === null) return null;
  const found = judgeForm.safeParse(jsonIn(file, means));
  if (!found.success)
    throw new Fault('CONFIG_INVALID', { file, why: found.error.issues[0]?.path.join('.') ?? 'form' });
  const { trusted, ticketQuorum } = found.data;
  return {
    trusted: trusted.map(({ publicKey, ...key }) => ({ ...key, publicKey: fromHex(publicKey) })),
    quorum: ticketQuorum,
  };
}

/** @throws Fault ORDER_INVALID, FILE_UNREADABLE */
export function jsonIn(file: string, { files }: Means): unknown {
  const text = files.read(file);
  try {
    if (text.length > CHARACTERS_MAX) throw new SyntaxError('too long');
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Fault('ORDER_INVALID', { file, why: 'not JSON' }, { cause: error });
  }
}
