/** What one entry of the table of mutants says, and what several of them use. */
import { createHash } from 'node:crypto';
import type { Bytes } from '../../../../runtime/core/bytes.ts';
import type { FaultCode } from '../../../../runtime/core/faults.ts';
import type { ChipProfile, ChipState } from '../chip.ts';
import type { Manner } from '../manner.ts';
import { tlv } from '../tlv.ts';
import { type CardAnswer, type CardCommand, success } from '../wire.ts';

/** What becomes of a unit with such a chip; `resumed`: it is held, and released in the end. */
export type Outcome = 'released' | 'held' | 'rejected' | 'resumed';

export interface MannerDefinition {
  /** What the card does, as the end of a sentence that begins with "It". */
  readonly does: string;
  readonly outcome: Outcome;
  /** What the unit is held or rejected with; null where it is not, or where that depends on the moment. */
  readonly fault: FaultCode | null;
  /** What shows the manner, or why it does no harm. */
  readonly caughtBy: string;
  /** Where its profile differs from the usual one. */
  readonly profile?: Partial<ChipProfile>;
  readonly hooks?: Hooks;
}

/** The seams of one card with this memory. What they remember themselves ends with the card's process. */
export type Hooks = (state: ChipState) => Partial<Manner>;

/** Instructions that mutants watch for. GPCS 2.3.1 table 11-1; Amendment D section 7.1. */
export const Instruction = { initializeUpdate: 0x50, getData: 0xca, putKey: 0xd8 } as const;
/** Class bit of a protected command. */
export const PROTECTED = 0x04;
/** Bytes of a MAC on the wire in S8 mode, which all mutants speak. Amendment D section 4.1.5. */
export const MAC_BYTES = 8;

/** Another value of the same length, always the same for the same value; both in hexadecimal. */
export function otherThan(value: string): string {
  const bytes = createHash('sha512').update(value, 'hex').digest();
  return bytes.toString('hex').slice(0, value.length);
}

export function asks(command: CardCommand, ins: number, tag = command.p1 * 256 + command.p2): boolean {
  return command.ins === ins && command.p1 * 256 + command.p2 === tag;
}

/** The answer to GET DATA: class 80 gives the whole object, class 00 its value. GPCS 2.3.1 table 11-27. */
export function shown(tag: number, value: Bytes, command: CardCommand): CardAnswer {
  return success(command.cla === 0x80 ? tlv(tag, value) : value);
}

/** Changes the data of an answer that carries any. */
export function saidOtherwise(answer: CardAnswer, change: (data: Buffer) => Bytes): CardAnswer {
  return answer.data.length === 0 ? answer : { ...answer, data: change(Buffer.from(answer.data)) };
}
