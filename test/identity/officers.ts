/** Officers of the tests: their keys, and what they sign. */
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { type ApprovalPurpose, approvalStatement } from '../../runtime/core/messages/approval.ts';
import { seal, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import type { Signer } from '../../runtime/core/ports.ts';

const entropy = createSimulatedEntropy('officers of stations');
const NAMES = ['ada', 'bob'] as const;
export type Officer = (typeof NAMES)[number];

export const officerKeys: Readonly<Record<Officer, Uint8Array>> = {
  ada: privateKeyFrom(entropy.bytes(40)),
  bob: privateKeyFrom(entropy.bytes(40)),
};
const signers: Readonly<Record<Officer, Signer>> = {
  ada: createSoftwareSigner(officerKeys.ada),
  bob: createSoftwareSigner(officerKeys.bob),
};

export const quorum = { required: 2, officers: [...NAMES] };
export const trustedOfficers: readonly TrustedKey[] = NAMES.map((name) => ({
  name,
  role: 'officer',
  publicKey: signers[name].publicKey,
}));

/** @param nowMs when it is signed; it counts for a day */
export function approve(
  officer: Officer,
  purpose: ApprovalPurpose,
  subject: string,
  nowMs: number,
): Promise<string> {
  const payload = {
    ...{ purpose, subject, officer, reason: 'as reported' },
    approvedAt: instantOf(nowMs),
    notAfter: instantOf(nowMs + 86_400_000),
  };
  return seal(approvalStatement, payload, signers[officer], nodeCrypto);
}
