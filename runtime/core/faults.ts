/**
 * The fault catalogue: everything that may go wrong and that somebody can act on. Codes never change within
 * a major version; words may.
 */
import { faultsOfBackend } from './faults/backend.ts';
import { faultsOfCard } from './faults/card.ts';
import { faultsOfCeremony } from './faults/ceremony.ts';
import { faultsOfEnrolment } from './faults/enrolment.ts';
import { faultsOfExchange } from './faults/exchange.ts';
import { faultsOfFleet } from './faults/fleet-faults.ts';
import { faultsOfGateway } from './faults/gateway.ts';
import { faultsOfLog } from './faults/log-faults.ts';
import { faultsOfOrders } from './faults/orders.ts';
import { faultsOfPki } from './faults/pki.ts';
import { faultsOfSecurity } from './faults/security.ts';
import { faultsOfStation } from './faults/station.ts';

/** A failure a technician can act on: what happened, why, and what to do next. */
export interface FaultDefinition {
  /** Shown on the screen; one sentence, no jargon. */
  readonly title: string;
  /** The likely cause, in the technician's terms. */
  readonly cause: string;
  /** What the technician does now; imperative. */
  readonly remedy: string;
  /** `retry`: the runtime tries again by itself and holds meanwhile. `hold`: a person must act. `reject`: a verdict on the card. */
  readonly disposition: 'retry' | 'hold' | 'reject';
  /** Whose fault it is in PackML: `own` holds, `outside` suspends. */
  readonly blame: 'own' | 'outside';
}

export const faults = {
  ...faultsOfStation,
  ...faultsOfCard,
  ...faultsOfExchange,
  ...faultsOfGateway,
  ...faultsOfBackend,
  ...faultsOfSecurity,
  ...faultsOfCeremony,
  ...faultsOfOrders,
  ...faultsOfPki,
  ...faultsOfEnrolment,
  ...faultsOfLog,
  ...faultsOfFleet,
} as const satisfies Record<string, FaultDefinition>;

export type FaultCode = keyof typeof faults;

/** Facts about one failure: vendor numbers, names of things; never a key, a PIN or data of an APDU. */
export type FaultContext = Readonly<Record<string, string | number | boolean | null>>;

/** An operating error: expected, named, and handled. Programmer errors are assertions. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly context: FaultContext;

  constructor(code: FaultCode, context: FaultContext = {}, options?: ErrorOptions) {
    super(`${faults[code].title} (${code})`, options);
    this.code = code;
    this.context = context;
  }

  get definition(): FaultDefinition {
    return faults[this.code];
  }
}

export function isFault(error: unknown): error is Fault {
  return error instanceof Fault;
}

export function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(faults, code);
}

/** Whether the failure is a verdict on the card, the only thing that rejects a unit. */
export function isVerdict(fault: Fault): boolean {
  return fault.definition.disposition === 'reject';
}

/** The form in which a fault crosses a process or the bus; nothing but what the catalogue allows. */
export interface FaultNote {
  readonly code: FaultCode;
  readonly context: FaultContext;
}

export function noteOf(fault: Fault): FaultNote {
  return { code: fault.code, context: fault.context };
}

/** An error of any kind as a fault: itself, or `code` with the error as its cause. */
export function asFault(error: unknown, code: FaultCode, context: FaultContext = {}): Fault {
  return isFault(error) ? error : new Fault(code, context, { cause: error });
}
