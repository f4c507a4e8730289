/** What a gateway needs of the world. */
import type { Bytes } from '../core/bytes.ts';
import type { TrustedKey } from '../core/messages/envelope.ts';
import type { Certificates, ProfileName } from '../core/pki/profile.ts';
import type { Bus, Clock, Crypto, Entropy, InstructionDoor, Log, Publisher } from '../core/ports.ts';
import type { GatewayLedger } from '../core/store/ledger.ts';
import type { MarkMemory } from '../core/store/mark.ts';
import type { Token } from '../core/token.ts';

/** An intermediate whose key lives in the token. */
export interface Issuer {
  readonly name: string;
  /** Label of its key. */
  readonly key: string;
  /** Its certificate, DER. */
  readonly certificate: Bytes;
  /** `idevid-batch` when absent. */
  readonly profile?: ProfileName;
  /** URL of its CRL, for profiles that name one. */
  readonly distributionPoint?: string | null;
}

export interface GatewayPorts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  readonly bus: Bus;
  readonly token: Token;
  readonly ledger: GatewayLedger;
  /** What this gateway remembers of the ledger apart from it. */
  readonly marks: MarkMemory;
  readonly certificates: Certificates;
  readonly issuers: readonly Issuer[];
  /** Where revocation lists go; absent where this gateway signs none. */
  readonly publisher?: Publisher;
  readonly trusted: readonly TrustedKey[];
  readonly instructions: InstructionDoor;
  readonly log: Log;
}
