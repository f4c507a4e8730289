/** An officer's signature under the hash of a plan or of a record. */
import { instantOf } from '../../core/instant.ts';
import { approvalStatement } from '../../core/messages/approval.ts';
import { seal } from '../../core/messages/envelope.ts';
import type { Signer } from '../../core/ports.ts';
import type { Means } from '../means.ts';

const DAY_MS = 86_400_000;

export interface ToSign {
  readonly officer: string;
  /** SHA-256, hexadecimal. */
  readonly subject: string;
  readonly reason: string;
  /** For how many days from now it counts. */
  readonly days: number;
  readonly signer: Signer;
}

/** A JWS. */
export function signApproval(
  { officer, subject, reason, days, signer }: ToSign,
  { now, crypto }: Pick<Means, 'now' | 'crypto'>,
): Promise<string> {
  const nowMs = now();
  const payload = {
    purpose: 'ceremony',
    subject,
    officer,
    reason,
    approvedAt: instantOf(nowMs),
    notAfter: instantOf(nowMs + days * DAY_MS),
  } as const;
  return seal(approvalStatement, payload, signer, crypto);
}
