/**
 * Commands, answers and status words on the card's side of the contacts; short length only.
 *
 * @see ISO/IEC 7816-4 section 5; GPCS 2.3.1 section 11.1
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';

/** A command taken apart. `expected`: Le, 256 for the byte 00; null without Le. */
export interface CardCommand {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Bytes;
  readonly expected: number | null;
}

export interface CardAnswer {
  readonly data: Bytes;
  readonly statusWord: number;
}

/** GPCS 2.3.1 section 11.1.3, ISO/IEC 7816-4 section 5.6, and those of PIV. */
export const StatusWord = {
  success: 0x9000,
  selectedLocked: 0x6283,
  hostCryptogramWrong: 0x6300,
  lengthWrong: 0x6700,
  channelNotSupported: 0x6881,
  chainingNotSupported: 0x6884,
  securityNotSatisfied: 0x6982,
  pinBlocked: 0x6983,
  conditionsNotSatisfied: 0x6985,
  dataWrong: 0x6a80,
  functionNotSupported: 0x6a81,
  objectAbsent: 0x6a82,
  memoryFull: 0x6a84,
  parametersWrong: 0x6a86,
  referenceAbsent: 0x6a88,
  instructionUnknown: 0x6d00,
  classUnknown: 0x6e00,
} as const;

/** A command the card turns down: thrown where that is found out, answered with the bare status word. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly statusWord: number;

  constructor(statusWord: number) {
    super(`refused with ${statusWord.toString(16)}`);
    this.statusWord = statusWord;
  }
}

const NOTHING: Bytes = new Uint8Array(0);

export function success(data: Bytes = NOTHING): CardAnswer {
  return { data, statusWord: StatusWord.success };
}

/** @throws Refusal 6700 when the lengths contradict each other, or the command is an extended one. */
export function parseCommand(bytes: Bytes): CardCommand {
  const [cla, ins, p1, p2, third] = bytes;
  if (cla === undefined || ins === undefined || p1 === undefined || p2 === undefined)
    throw new Refusal(StatusWord.lengthWrong);
  const header = { cla, ins, p1, p2 };
  if (third === undefined) return { ...header, data: NOTHING, expected: null };
  if (bytes.length === 5) return { ...header, data: NOTHING, expected: third || 256 };
  const end = 5 + third;
  if (third === 0 || bytes.length < end || bytes.length > end + 1) throw new Refusal(StatusWord.lengthWrong);
  const last = bytes[end];
  return { ...header, data: bytes.slice(5, end), expected: last === undefined ? null : last || 256 };
}

export function encodeAnswer(data: Bytes, statusWord: number): Buffer {
  const answer = Buffer.alloc(data.length + 2);
  answer.set(data);
  answer.writeUInt16BE(statusWord, data.length);
  return answer;
}
