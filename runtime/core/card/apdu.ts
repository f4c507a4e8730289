/**
 * Commands and answers of ISO/IEC 7816-4, short length, and the exchange of one with the other.
 *
 * @see ISO/IEC 7816-4 section 5; GPCS 2.3.1 section 11.1
 */
import { type Bytes, concat, toHex } from '../bytes.ts';
import { Fault } from '../faults.ts';

/** A command in its parts. `expected`: Le, 0 means 256; absent means no Le byte. */
export interface Command {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data?: Bytes;
  readonly expected?: number;
  /** Under secure messaging it is protected whole, and cut into frames when it goes out. */
  readonly whole?: true;
}

export interface Answer {
  readonly data: Bytes;
  /** Two bytes as one number: 0x9000. */
  readonly statusWord: number;
}

/** One command with the answer that belongs to it; `wire` lists each frame, 61xx and 6Cxx steps included. */
export interface Exchange {
  readonly kind: 'command' | 'cold-reset';
  readonly command: Bytes;
  /** Joined data and final status word; the ATR for a cold reset. */
  readonly answer: Bytes;
  readonly wire: readonly { readonly command: Bytes; readonly answer: Bytes }[];
}

/** Most data bytes of a short command. ISO/IEC 7816-4 section 5.1. */
export const DATA_BYTES_MAX = 255;

/** @throws RangeError when the data exceed a short command. */
export function encodeCommand(command: Command): Bytes {
  const data = command.data ?? new Uint8Array(0);
  if (data.length > DATA_BYTES_MAX) throw new RangeError('data exceed a short command');
  return concat(
    Uint8Array.of(command.cla, command.ins, command.p1, command.p2),
    data.length === 0 ? data : concat(Uint8Array.of(data.length), data),
    command.expected === undefined ? new Uint8Array(0) : Uint8Array.of(command.expected & 0xff),
  );
}

/** Class bit of every frame of a chain but the last. ISO/IEC 7816-4 section 5.3.3. */
export const MORE_FRAMES = 0x10;
/** Most data bytes of a command that goes out as a chain. */
export const CHAIN_BYTES_MAX = 4096;

/** Length field of a command: one byte, or three where the data need it. ISO/IEC 7816-4 section 5.1. */
export function lengthField(bytes: number): Bytes {
  return bytes <= DATA_BYTES_MAX
    ? Uint8Array.of(bytes)
    : concat(Uint8Array.of(0), Uint8Array.of(bytes >> 8, bytes & 0xff));
}

/** Header and data of a command in either length. */
export function commandParts(command: Bytes): { readonly header: Bytes; readonly data: Bytes } {
  const isLong = command.length > 7 && command[4] === 0;
  const start = isLong ? 7 : 5;
  const size = isLong ? ((command[5] ?? 0) << 8) | (command[6] ?? 0) : (command[4] ?? 0);
  return { header: command.subarray(0, start), data: command.subarray(start, start + size) };
}

/** The frames of a command that is too long for one, or the command itself. */
export function framesOf(command: Bytes): readonly Bytes[] {
  const { header, data } = commandParts(command);
  if (header.length === 5) return [command];
  const [cla = 0, ins = 0, p1 = 0, p2 = 0] = header;
  const count = Math.ceil(data.length / DATA_BYTES_MAX);
  return Array.from({ length: count }, (_, i) => {
    const part = data.subarray(i * DATA_BYTES_MAX, (i + 1) * DATA_BYTES_MAX);
    return encodeCommand({ cla: i === count - 1 ? cla : cla | MORE_FRAMES, ins, p1, p2, data: part });
  });
}

/** The command that was cut into these frames. */
export function joinFrames(frames: readonly Bytes[]): Bytes {
  const [last = new Uint8Array(5)] = frames.slice(-1);
  if (frames.length < 2) return last;
  const data = concat(...frames.map((frame) => commandParts(frame).data));
  return concat(last.subarray(0, 4), lengthField(data.length), data);
}

/** @throws Fault CARD_ANSWER_MALFORMED when there is no status word. */
export function decodeAnswer(bytes: Bytes): Answer {
  if (bytes.length < 2) throw new Fault('CARD_ANSWER_MALFORMED', { answer: 'shorter than a status word' });
  const at = bytes.length - 2;
  return { data: bytes.subarray(0, at), statusWord: ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0) };
}

/** A conversation with a card: yields each frame, is resumed with its answer, returns the outcome. */
export type CardScript<Outcome> = Generator<Bytes, Outcome, Bytes>;

/** Frames one command may take: enough for 64 KiB of answer. */
const FRAMES_MAX = 300;

/**
 * Sends one command and follows 61xx (GET RESPONSE) and 6Cxx (same command, right Le) to its end.
 * GET RESPONSE keeps class 00: it is never protected (GPCS 2.3.1 section 11.1.5.2).
 */
export function* exchange(command: Bytes): CardScript<Exchange> {
  const wire: { command: Bytes; answer: Bytes }[] = [];
  const parts: Bytes[] = [];
  let frame = command;
  while (wire.length < FRAMES_MAX) {
    const answer: Bytes = yield frame;
    wire.push({ command: frame, answer });
    const { data, statusWord } = decodeAnswer(answer);
    parts.push(data);
    if (statusWord >> 8 === 0x61) frame = Uint8Array.of(0x00, 0xc0, 0x00, 0x00, statusWord & 0xff);
    else if (statusWord >> 8 === 0x6c && data.length === 0 && wire.length === 1)
      frame = withExpected(command, statusWord & 0xff);
    else
      return {
        kind: 'command',
        command,
        answer: concat(...parts, answer.subarray(answer.length - 2)),
        wire,
      };
  }
  throw new Fault('CARD_ANSWER_MALFORMED', { answer: 'never ends', command: toHex(command.subarray(0, 4)) });
}

/** The exchange that these frames make: the first names the command, the data of all and the last status word the answer.
 * A cold reset is one frame without a command. */
export function exchangeOf(kind: Exchange['kind'], wire: Exchange['wire']): Exchange {
  const answers = wire.map((frame) => frame.answer);
  const last = answers.at(-1) ?? new Uint8Array(0);
  const before = answers.slice(0, -1).map((answer) => answer.subarray(0, Math.max(0, answer.length - 2)));
  return { kind, command: wire[0]?.command ?? new Uint8Array(0), answer: concat(...before, last), wire };
}

/** The same command with another Le (case 2 or 4). */
function withExpected(command: Bytes, expected: number): Bytes {
  const lc = command.length > 5 ? (command[4] ?? 0) : 0;
  return concat(command.subarray(0, lc === 0 ? 4 : 5 + lc), Uint8Array.of(expected));
}
