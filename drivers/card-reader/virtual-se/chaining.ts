/**
 * Joins the frames of a chained command: each left the secure channel by itself, or the whole is still to be opened.
 *
 * @see ISO/IEC 7816-4 section 5.3.3
 */
import type { SecureSession } from './secure-channel.ts';
import { type CardCommand, Refusal, StatusWord } from './wire.ts';

/** Class bit of every frame but the last. */
const MORE = 0x10;
/** Most bytes one chain may bring: an object of 3 KiB with its tags. */
const CHAIN_BYTES_MAX = 4096;

export interface Chain {
  /** The whole command at its last frame, null before. A frame of another command or another session starts
   * over. @throws Refusal 6A84 when the chain grows too long */
  collect(frame: CardCommand, session: SecureSession | null): CardCommand | null;
  reset(): void;
}

export function createChain(): Chain {
  let first: CardCommand | null = null;
  let channel: SecureSession | null = null;
  let parts: Uint8Array[] = [];
  let size = 0;
  const reset = (): void => {
    first = null;
    channel = null;
    parts = [];
    size = 0;
  };
  return {
    reset,
    collect: (frame, session) => {
      if (first === null || channel !== session || !continues(first, frame)) reset();
      parts.push(frame.data);
      size += frame.data.length;
      if (size > CHAIN_BYTES_MAX) {
        reset();
        throw new Refusal(StatusWord.memoryFull);
      }
      if (frame.cla & MORE) {
        first ??= frame;
        channel = session;
        return null;
      }
      const whole = { ...frame, data: Buffer.concat(parts) };
      reset();
      return whole;
    },
  };
}

function continues(first: CardCommand, frame: CardCommand): boolean {
  return first.ins === frame.ins && first.p1 === frame.p1 && first.p2 === frame.p2;
}
