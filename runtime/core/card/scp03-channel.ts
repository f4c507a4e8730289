/**
 * An open SCP03 channel as the host sees it: protects commands and judges answers. Pure: each call takes the
 * channel's state and returns the next one.
 *
 * @see GlobalPlatform Card Specification 2.3.1 Amendment D v1.1.1 section 6.2
 */
import { type Bytes, bigEndian, concat, equal } from '../bytes.ts';
import { BLOCK_BYTES } from '../crypto/cmac.ts';
import { Fault } from '../faults.ts';
import {
  type Answer,
  CHAIN_BYTES_MAX,
  type Command,
  commandParts,
  DATA_BYTES_MAX,
  decodeAnswer,
  encodeCommand,
  lengthField,
} from './apdu.ts';

/** What is done with session keys that stay with whoever implements this. All results are new bytes. */
export interface ChannelKeys {
  /** AES-CMAC under S-MAC, 16 bytes. */
  mac(message: Bytes): Bytes;
  /** AES-CMAC under S-RMAC, 16 bytes. */
  responseMac(message: Bytes): Bytes;
  /** AES of one block under S-ENC. */
  encryptBlock(block: Bytes): Bytes;
  /** AES-CBC under S-ENC, whole blocks, no padding. */
  encrypt(iv: Bytes, data: Bytes): Bytes;
  /** The reverse of `encrypt`. */
  decrypt(iv: Bytes, data: Bytes): Bytes;
}

/** Security level of EXTERNAL AUTHENTICATE. GPCS 2.3.1 table D-7; Amendment D table 7-6. */
export type SecurityLevel = 0x01 | 0x03 | 0x11 | 0x13 | 0x33;
/** C-MAC, C-ENC, R-MAC and R-ENC: the level every channel of ours has. */
export const LEVEL_FULL = 0x33;
const C_ENC = 0x02;
const R_MAC = 0x10;
const R_ENC = 0x20;

/** Bytes of a MAC that are sent: S8, S16. All 16 go into the chain. Section 4.1.5. */
export type MacBytes = 8 | 16;

/** Most plain data of one protected command: whole blocks of ciphertext and the MAC fit 255, and one byte is padding. */
export function plainBytesMax(macBytes: MacBytes): number {
  return Math.floor((DATA_BYTES_MAX - macBytes) / BLOCK_BYTES) * BLOCK_BYTES - 1;
}

/** What the answer to one command is judged by. */
interface Awaited {
  readonly chain: Bytes;
  readonly counter: number;
}

export interface ChannelState {
  readonly level: SecurityLevel;
  readonly macBytes: MacBytes;
  /** MAC chaining value, 16 bytes. Section 6.2.3. */
  readonly chain: Bytes;
  /** Encryption counter: the number of commands protected so far. Section 6.2.6. */
  readonly counter: number;
  /** Commands whose answers are still to come, oldest first. */
  readonly awaited: readonly Awaited[];
}

/** The state after EXTERNAL AUTHENTICATE, whose full MAC starts the chain. Its answer carries no R-MAC. */
export function openState(chain: Bytes, level: SecurityLevel, macBytes: MacBytes): ChannelState {
  return { level, macBytes, chain, counter: 0, awaited: [] };
}

/**
 * Protects one command: C-ENC over padded data, then C-MAC. Every command counts, also one without data.
 * Le becomes 00 where there is one: the protected answer is longer than the plain one.
 * A command to be protected whole comes out long, without Le, with one MAC at its end; `framesOf` cuts it.
 * @throws RangeError when the data do not fit, or the class names another logical channel
 */
export function wrapCommand(
  keys: ChannelKeys,
  state: ChannelState,
  command: Command,
): { readonly command: Bytes; readonly state: ChannelState } {
  const plain = command.data ?? new Uint8Array(0);
  if (plain.length > (command.whole === true ? CHAIN_BYTES_MAX : plainBytesMax(state.macBytes)))
    throw new RangeError('data exceed one protected command');
  const counter = state.counter + 1;
  const encrypted = (state.level & C_ENC) !== 0 && plain.length > 0;
  const data = encrypted ? keys.encrypt(keys.encryptBlock(counterBlock(counter)), pad(plain)) : plain;
  const cla = protectedClass(command.cla);
  const { ins, p1, p2, expected } = command;
  const size = data.length + state.macBytes;
  const header = concat(Uint8Array.of(cla, ins, p1, p2), lengthField(size));
  const chain = keys.mac(concat(state.chain, header, data));
  const body = concat(data, chain.subarray(0, state.macBytes));
  const le = expected === undefined ? {} : { expected: 0 };
  const wrapped =
    size > DATA_BYTES_MAX ? concat(header, body) : encodeCommand({ cla, ins, p1, p2, data: body, ...le });
  return {
    command: wrapped,
    state: { ...state, chain, counter, awaited: [...state.awaited, { chain, counter }] },
  };
}

/**
 * Judges the answer to the oldest command without one: R-MAC, then R-ENC. An error status word comes bare and
 * is returned as it is: it carries no MAC and proves nothing.
 * @throws Fault CARD_CHANNEL_BROKEN when the R-MAC is missing or wrong, or an error carries data: the outcome of
 * that command is unknown, and the channel must not be used again
 * @throws Fault CARD_NOT_OURS when the R-MAC is right and the data do not decrypt: the card itself has another Key-ENC
 */
export function unwrapAnswer(
  keys: ChannelKeys,
  state: ChannelState,
  bytes: Bytes,
): { readonly answer: Answer; readonly state: ChannelState } {
  const [awaited, ...later] = state.awaited;
  if (awaited === undefined) throw new RangeError('no command waits for an answer');
  const { data, statusWord } = decodeAnswer(bytes);
  const next = { ...state, awaited: later };
  if (!carriesMac(statusWord)) {
    if (data.length > 0) throw broken('data in an error answer', statusWord);
    return { answer: { data, statusWord }, state: next };
  }
  if ((state.level & R_MAC) === 0) return { answer: { data: data.slice(), statusWord }, state: next };
  const { macBytes } = state;
  if (data.length < macBytes) throw broken('no R-MAC', statusWord);
  const body = data.slice(0, data.length - macBytes);
  const own = keys.responseMac(concat(awaited.chain, body, bigEndian(statusWord, 2)));
  if (!equal(own.subarray(0, macBytes), data.subarray(body.length))) throw broken('R-MAC', statusWord);
  if ((state.level & R_ENC) === 0 || body.length === 0)
    return { answer: { data: body, statusWord }, state: next };
  if (body.length % BLOCK_BYTES !== 0) throw new Fault('CARD_NOT_OURS', { proof: 'response encryption' });
  const iv = keys.encryptBlock(counterBlock(awaited.counter, 0x80));
  const plain = unpad(keys.decrypt(iv, body));
  if (plain === null) throw new Fault('CARD_NOT_OURS', { proof: 'response encryption' });
  return { answer: { data: plain, statusWord }, state: next };
}

/** The chaining value behind a protected command as it was sent: its C-MAC in full, whatever of it was sent. */
export function commandChain(
  keys: Pick<ChannelKeys, 'mac'>,
  { chain, macBytes }: Pick<ChannelState, 'chain' | 'macBytes'>,
  command: Bytes,
): Bytes {
  const { header, data } = commandParts(command);
  const size = Math.max(0, data.length - macBytes);
  return keys.mac(concat(chain, header, data.subarray(0, size)));
}

/** 9000, 62xx and 63xx; every other status word is an error without R-MAC. Section 6.2.5. */
export function carriesMac(statusWord: number): boolean {
  const high = statusWord >> 8;
  return statusWord === 0x9000 || high === 0x62 || high === 0x63;
}

/** Class with the secure messaging bit b3; the chaining bit b5 stays, since each frame is protected by itself. */
function protectedClass(cla: number): number {
  if ((cla & 0x4b) !== 0) throw new RangeError('only logical channel 0 without other secure messaging');
  return cla | 0x04;
}

/** The encryption counter as a block; its first byte is 80 for answers. Sections 6.2.6 and 6.2.7. */
function counterBlock(counter: number, first = 0x00): Bytes {
  const block = bigEndian(counter, BLOCK_BYTES);
  block[0] = first;
  return block;
}

/** 80 00 .. to whole blocks; whole blocks get one more. ISO/IEC 9797-1 padding method 2. */
function pad(data: Bytes): Bytes {
  const padded = new Uint8Array((Math.floor(data.length / BLOCK_BYTES) + 1) * BLOCK_BYTES);
  padded.set(data);
  padded[data.length] = 0x80;
  return padded;
}

/** Data before the last 80; more zeros than needed are accepted. Null when there is no 80. */
function unpad(data: Bytes): Bytes | null {
  let end = data.length - 1;
  while (end >= 0 && data[end] === 0) end--;
  return data[end] === 0x80 ? data.slice(0, end) : null;
}

function broken(check: string, statusWord: number): Fault {
  return new Fault('CARD_CHANNEL_BROKEN', { check, statusWord });
}
