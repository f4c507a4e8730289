/** Officers with keys from a seed, and what they approve. */
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { type ApprovalPayload, approvalStatement } from '../../runtime/core/messages/approval.ts';
import { seal, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import type { Signer } from '../../runtime/core/ports.ts';

const entropy = createSimulatedEntropy('officers of orders');
const signer = (): Signer => createSoftwareSigner(privateKeyFrom(entropy.bytes(40)));

/** `eve` is an officer whom no quorum of these tests names. */
export const officers = { ada: signer(), bob: signer(), eve: signer() } as const;
export type OfficerName = keyof typeof officers;
export const quorum = { required: 2, officers: ['ada', 'bob'] };

export const officerKeys: readonly TrustedKey[] = Object.entries(officers).map(([name, { publicKey }]) => ({
  name,
  role: 'officer',
  publicKey,
}));

export function approval(
  officer: OfficerName,
  subject: string,
  changes: Partial<ApprovalPayload> = {},
): Promise<string> {
  const payload = {
    purpose: 'ticket' as const,
    subject,
    officer,
    reason: 'order 4711',
    approvedAt: '2026-11-22T00:00:00.000Z',
    notAfter: '2026-11-22T06:00:00.000Z',
    ...changes,
  };
  return seal(approvalStatement, payload, officers[officer], nodeCrypto);
}
