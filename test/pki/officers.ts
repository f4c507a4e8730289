/** Three officers with keys that anybody may know, and what they sign. */
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { type ApprovalPurpose, approvalStatement } from '../../runtime/core/messages/approval.ts';
import { seal, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import { planHashOf } from '../../runtime/core/pki/root.ts';
import type { Signer } from '../../runtime/core/ports.ts';

export const officerKeys: Readonly<Record<string, Signer>> = Object.fromEntries(
  ['ada', 'bob', 'eve'].map((name, i) => [
    name,
    createSoftwareSigner(privateKeyFrom(new Uint8Array(40).fill(90 + i))),
  ]),
);

export const officers: readonly TrustedKey[] = Object.entries(officerKeys).map(([name, { publicKey }]) => ({
  name,
  role: 'officer',
  publicKey,
}));

/** Eve is an officer, but not one for this. */
export const quorum = { required: 2, officers: ['ada', 'bob'] };

export function approvalOf(
  officer: string,
  plan: object,
  nowMs: number,
  purpose: ApprovalPurpose = 'revocation',
): Promise<string> {
  const signer = officerKeys[officer];
  if (signer === undefined) throw new RangeError(`no officer ${officer}`);
  const subject = planHashOf(plan, nodeCrypto);
  const payload = {
    purpose,
    subject,
    officer,
    reason: 'as planned',
    approvedAt: instantOf(nowMs),
    notAfter: instantOf(nowMs + 86_400_000),
  };
  return seal(approvalStatement, payload, signer, nodeCrypto);
}
