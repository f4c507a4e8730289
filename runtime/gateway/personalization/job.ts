/** What one dialogue works on, and with. */

import type { GatewayConfig } from '../../../config/gateway.ts';
import type { CardProfile } from '../../core/card/profile.ts';
import type { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import type { Reservation } from '../../core/messages/receipts.ts';
import type { TicketPayload } from '../../core/messages/ticket.ts';
import type { CardIdentity } from '../../core/operation/facts.ts';
import type { Signer } from '../../core/ports.ts';
import type { KeySet, TokenDescription } from '../../core/token.ts';
import type { Line } from '../dialogue.ts';
import type { Issuance } from '../issuance.ts';
import type { ReadyIssuer } from '../issuers.ts';
import type { GatewayPorts } from '../ports.ts';
import type { Evidence } from './evidence.ts';

export interface Job {
  readonly ports: GatewayPorts;
  readonly config: GatewayConfig;
  readonly line: Line;
  readonly evidence: Evidence;
  readonly dialogue: string;
  readonly ticket: TicketPayload;
  readonly reserved: Reservation;
  /** What the chip claimed in clear. */
  readonly claimed: CardIdentity;
  readonly profile: CardProfile;
  readonly issuer: ReadyIssuer;
  readonly issuance: Issuance;
  readonly token: TokenDescription;
  /** Signs confirmations and verdicts with a key of its own, which no request can reach. */
  readonly receiptSigner: Signer;
}

export function transportKeys({ reserved, profile, config }: Job): KeySet {
  return {
    origin: 'transport',
    scheme: config.transport.scheme,
    algorithm: profile.transportAlgorithm,
    eid: reserved.eid,
    keyVersion: profile.transportKeyVersion,
  };
}

export function fleetKeys({ reserved, profile }: Job): KeySet {
  const { generation, eid, keyVersion } = reserved;
  return { origin: 'fleet', algorithm: profile.algorithm, generation, eid, keyVersion };
}

/** Makes durable what is about to be derived, wrapped or signed. @throws Fault LEDGER_UNAVAILABLE */
export function intend(job: Job, step: string, detail: string): Promise<void> {
  const { operation, epoch } = job.reserved;
  return job.ports.ledger.intend({
    dialogue: job.dialogue,
    operation,
    epoch,
    step,
    detail,
    at: instantOf(job.ports.clock.now()),
  });
}

/** Key sets and certificates that the chip may hold because of this dialogue; a verdict lists them for revocation. */
export interface Touched {
  readonly keyVersions: Set<number>;
  readonly certificateSerials: Set<string>;
}

/** A fact that the chip contradicts is a verdict on it. */
export function demand(holds: boolean, fault: () => Fault): void {
  if (!holds) throw fault();
}
