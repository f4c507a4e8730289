/** What a simulated plant may be made of, and where a test takes a hand in it. */
import type { Weather } from '../../drivers/bus/in-memory.ts';
import type { SimulatedClock } from '../../drivers/clock/simulated.ts';
import type { InMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import type { GateKind } from '../../runtime/core/gate/release.ts';
import type { Quorum } from '../../runtime/core/messages/approval.ts';
import type { TrustedKey } from '../../runtime/core/messages/envelope.ts';
import type { Order } from '../../runtime/core/messages/ticket.ts';
import type { Bus, Crypto } from '../../runtime/core/ports.ts';
import type { SimulatedRevocation } from './revocation.ts';
import type { StationParts, Wiretap } from './station.ts';
import type { Supply } from './supply.ts';

export interface WorldOptions {
  readonly seed: string;
  readonly stations: number;
  readonly units: number;
  /** Gateways of the one HSM; one by default. */
  readonly gateways?: number;
  /** Of the ticket; as many as there are units by default. */
  readonly quota?: number;
  readonly weather?: Weather;
  /** Sees every message as it is published. */
  readonly tap?: (topic: string, payload: Uint8Array) => void;
  /** Stands between each program and the broker. */
  readonly betweenBus?: (bus: Bus, clientId: string, clock: SimulatedClock) => Bus;
  /** The plant's keys are drawn from this and not from `seed`: another day of the same plant. */
  readonly keysFrom?: string;
  /** Sees every command and answer on the wire of a chip. */
  readonly wire?: Wiretap;
  /** What all programs calculate with; node:crypto by default. */
  readonly crypto?: Crypto;
  /** The cryptography of long simulations: what is to be seen here does not hang on real signatures. */
  readonly cheap?: boolean;
  /** Of each station's journal; more than a simulation ever writes by default. */
  readonly keepEntries?: number;
  /** Stands between the stations and their jigs. */
  readonly betweenJig?: StationParts['betweenJig'];
  /** Stands between the stations and their readers. */
  readonly betweenReader?: StationParts['betweenReader'];
  /** How the chips of some units treat their host; all others are honest. Units count from 1. */
  readonly manners?: StationParts['manners'];
  /** The chips of some units, made from what they would be. */
  readonly forged?: StationParts['forged'];
  /** What stations and backend are configured for at the gates; gate controllers by default. */
  readonly gates?: { readonly stations: GateKind; readonly backend: GateKind };
  /** Who may revoke a station; nobody by default. */
  readonly revokers?: { readonly quorum: Quorum; readonly keys: readonly TrustedKey[] };
  /** From a sign-in to the end of its shift; as the backend has it by default. */
  readonly shiftHours?: number;
  /** Stations whose keys backend and gateways were not configured with. */
  readonly newcomers?: readonly string[];
  /** Where it differs from the usual. */
  readonly supply?: Partial<Supply>;
  /** Where the order differs from the usual. */
  readonly order?: Partial<Order>;
  /** Absent: nobody may have certificates revoked, and no lists are published. */
  readonly revocation?: SimulatedRevocation;
}

/** Where a test instructs the simulated programs. */
export interface WorldDoors {
  readonly gateway: InMemoryInstructionDoor;
  readonly backend: InMemoryInstructionDoor;
  /** Of the first station. */
  readonly station: InMemoryInstructionDoor;
}
