/** Revocation in a simulated plant: who must agree, and where lists are published. */
import type { Quorum } from '../../runtime/core/messages/approval.ts';
import type { TrustedKey } from '../../runtime/core/messages/envelope.ts';
import type { Publisher } from '../../runtime/core/ports.ts';

export interface SimulatedRevocation {
  readonly quorum: Quorum;
  readonly officers: readonly TrustedKey[];
  readonly publisher: Publisher;
}
