/**
 * How answers leave the card: at once, or announced with 61xx and fetched. Protection is complete before, over
 * the joined data; GET RESPONSE itself is never protected.
 *
 * @see ISO/IEC 7816-3 section 12.2; GPCS 2.3.1 section 11.1.5.2
 */
import type { ChipProfile } from './chip.ts';
import { type CardAnswer, type CardCommand, encodeAnswer, parseCommand, Refusal } from './wire.ts';

const GET_RESPONSE = 0xc0;
const MORE_DATA = 0x6100;
const LE_WRONG = 0x6c00;
/** Most data bytes of one short answer. ISO/IEC 7816-4 section 5.1. */
const PART_BYTES_MAX = 256;

export interface Outlet {
  /** One frame in, one frame out. `carryOut` is called for every command but GET RESPONSE. */
  deliver(frame: Uint8Array, carryOut: (command: CardCommand) => CardAnswer): Uint8Array;
  reset(): void;
}

export function createOutlet(profile: Pick<ChipProfile, 'answers' | 'answerPartBytes'>): Outlet {
  let waiting: CardAnswer | null = null;

  /** The next part of the answer, and 61xx while there is more. */
  const part = (answer: CardAnswer, asked: number): Uint8Array => {
    const size = Math.min(asked, profile.answerPartBytes);
    const rest = answer.data.subarray(size);
    waiting = rest.length > 0 ? { ...answer, data: rest } : null;
    const statusWord = waiting ? MORE_DATA | lengthByte(rest.length) : answer.statusWord;
    return encodeAnswer(answer.data.subarray(0, size), statusWord);
  };

  const fetched = (answer: CardAnswer, command: CardCommand): Uint8Array => {
    const size = answer.data.length;
    if (profile.answers === 'direct' || size === 0) return part(answer, command.expected ?? PART_BYTES_MAX);
    if (command.data.length > 0 || command.expected === null) return part(answer, 0);
    if (command.expected === size || (command.expected === PART_BYTES_MAX && size > PART_BYTES_MAX))
      return part(answer, PART_BYTES_MAX);
    return encodeAnswer(new Uint8Array(0), LE_WRONG | lengthByte(size));
  };

  return {
    reset: () => {
      waiting = null;
    },
    deliver: (frame, carryOut) => {
      try {
        const command = parseCommand(frame);
        const held = waiting;
        waiting = null;
        if (held !== null && command.cla === 0x00 && command.ins === GET_RESPONSE)
          return part(held, command.expected ?? PART_BYTES_MAX);
        return fetched(carryOut(command), command);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return encodeAnswer(new Uint8Array(0), error.statusWord);
      }
    },
  };
}

/** 00 stands for 256 and more. */
function lengthByte(size: number): number {
  return size >= PART_BYTES_MAX ? 0x00 : size;
}
