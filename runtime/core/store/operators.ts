/**
 * What the fleet store keeps of operators. Who was registered is history; the key that ties a badge and a name to a
 * pseudonym is not: it is deleted when somebody is to be forgotten, and nothing in the history leads to a person then.
 */
import type { Bytes } from '../bytes.ts';

export interface OperatorRow {
  readonly pseudonym: string;
  /** SHA-256 of the order that registered this operator. */
  readonly orderHash: string;
  readonly registeredAt: string;
}

export interface OperatorKeyRow {
  readonly pseudonym: string;
  /** 32 bytes: under it the badge's number gives the pseudonym. */
  readonly key: Bytes;
  /** Shown to the technician. */
  readonly name: string;
  /** From then on nobody signs in with this badge; null while somebody may. */
  readonly removedAt: string | null;
}

export interface OperatorVerbs {
  operatorByOrder(orderHash: string): Promise<OperatorRow | null>;
  insertOperator(row: OperatorRow): Promise<void>;
  /** By pseudonym. */
  operatorKeys(): Promise<readonly OperatorKeyRow[]>;
  operatorKey(pseudonym: string): Promise<OperatorKeyRow | null>;
  insertOperatorKey(row: OperatorKeyRow): Promise<void>;
  /** @returns whether there was such a row without an end */
  endOperatorKey(pseudonym: string, removedAt: string): Promise<boolean>;
  /** @returns whether there was such a row */
  deleteOperatorKey(pseudonym: string): Promise<boolean>;
}
