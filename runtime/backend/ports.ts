/** What a backend needs of the world. */
import type { Bytes } from '../core/bytes.ts';
import type { NoteKey } from '../core/log/note.ts';
import type { Policy } from '../core/log/policy.ts';
import type { TrustedKey } from '../core/messages/envelope.ts';
import type { Bus, Clock, Crypto, Entropy, HttpClient, InstructionDoor, Log, Signer } from '../core/ports.ts';
import type { FleetStore, FleetTransaction } from '../core/store/fleet.ts';
import type { HeadMemory } from '../core/store/head.ts';

/** The fleet log's key: signs checkpoints, nothing else. */
export interface LogSigner {
  readonly key: NoteKey;
  /** Ed25519, 64 bytes. */
  sign(message: Bytes): Bytes;
}

/** A gate controller that this backend shares a key with, or a plain Firmata gate, which has none. */
export interface ControllerKey {
  readonly name: string;
  readonly station: string;
  /** AES-128; null for a plain Firmata gate, whose reports are its station's word alone. */
  readonly key: Bytes | null;
}

/** Who is to cosign the log's checkpoints, and how they are asked. */
export interface WitnessPorts {
  readonly policy: Policy;
  readonly http: HttpClient;
}

/** What looks at the station's standing inside the transaction of its request. */
export interface StationStanding {
  /** @throws Fault STATION_REVOKED */
  demandStored(tx: FleetTransaction, station: string): Promise<void>;
}

/** The ports of handlers that write for a station. */
export interface RequestPorts extends BackendPorts {
  readonly register: StationStanding;
}

export interface BackendPorts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  readonly bus: Bus;
  readonly signer: Signer;
  readonly logSigner: LogSigner;
  readonly store: FleetStore;
  /** Kept apart from the store. */
  readonly heads: HeadMemory;
  readonly controllers: readonly ControllerKey[];
  readonly trusted: readonly TrustedKey[];
  readonly instructions: InstructionDoor;
  readonly log: Log;
  /** Absent where nobody cosigns. */
  readonly witnesses?: WitnessPorts;
}
