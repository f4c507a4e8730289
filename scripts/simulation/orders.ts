/** Orders as officers approve them and the authority signs them, with keys that are at hand. */
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { type ApprovalPurpose, approvalStatement } from '../../runtime/core/messages/approval.ts';
import { seal } from '../../runtime/core/messages/envelope.ts';
import { type Order, orderHash, ticketStatement } from '../../runtime/core/messages/ticket.ts';
import type { Signer } from '../../runtime/core/ports.ts';

export interface Officer {
  readonly name: string;
  readonly signer: Signer;
}

const DAY_MS = 86_400_000;

/** @param subject SHA-256, hexadecimal */
export function approvedBy(
  { name, signer }: Officer,
  subject: string,
  nowMs: number,
  purpose: ApprovalPurpose = 'ticket',
): Promise<string> {
  const payload = {
    purpose,
    subject,
    officer: name,
    reason: 'approved without a look: nobody is at stake',
    approvedAt: instantOf(nowMs),
    notAfter: instantOf(nowMs + DAY_MS),
  };
  return seal(approvalStatement, payload, signer, nodeCrypto);
}

/** Approved by these officers, then signed. */
export async function signedTicket(
  order: Order,
  by: { readonly officers: readonly Officer[]; readonly ticketAuthority: Signer },
  nowMs: number,
): Promise<string> {
  const subject = orderHash(order, nodeCrypto);
  const approvals = await Promise.all(by.officers.map((officer) => approvedBy(officer, subject, nowMs)));
  const payload = { ...order, signedAt: instantOf(nowMs), approvals };
  return seal(ticketStatement, payload, by.ticketAuthority, nodeCrypto);
}
