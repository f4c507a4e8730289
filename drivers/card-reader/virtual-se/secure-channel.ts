/**
 * The card's side of one SCP03 session: what a command must carry, and what its answer carries back. S8 and
 * S16, keys of 128, 192 and 256 bits, levels 01 03 11 13 33; no level 00, no BEGIN R-MAC SESSION.
 *
 * @see GlobalPlatform Amendment D v1.1.1 sections 5.6 and 6.2
 */
import { type Bytes, equal } from '../../../runtime/core/bytes.ts';
import {
  BLOCK,
  createMac,
  Derivation,
  decryptCbc,
  derive,
  encryptBlock,
  encryptCbc,
  type Mac,
  ZERO,
} from './cipher.ts';
import type { Manner } from './manner.ts';
import { type CardAnswer, type CardCommand, Refusal, StatusWord } from './wire.ts';

/** Bits of the security level. Amendment D section 7.1.2. */
export const Level = { cMac: 0x01, cEnc: 0x02, rMac: 0x10, rEnc: 0x20 } as const;

/** Bit of the class byte that says: protected. */
const PROTECTED = 0x04;
/** First byte of the counter block of an answer. Amendment D section 6.2.7. */
const ANSWER_MARK = 0x80;

/** From INITIALIZE UPDATE to the end of a session. */
export interface SecureSession {
  phase: 'initiated' | 'open' | 'aborted';
  level: number;
  /** The last full C-MAC: what the next one is chained to. */
  chaining: Bytes;
  /** The encryption counter of the command under way. */
  counter: number;
  readonly macBytes: 8 | 16;
  readonly sEnc: Bytes;
  readonly cMac: Mac;
  readonly rMac: Mac;
  readonly hostCryptogram: Bytes;
  /** Static Key-DEK of the set the session was opened with. */
  readonly dek: Bytes;
  /** Whether commands without data move the counter. */
  readonly countsEmptyCommands: boolean;
  /** Blocks of zeros behind the padding of an answer. */
  readonly extraPaddingBlocks: number;
  readonly overlooks: Manner['overlooks'];
}

export interface SessionSource {
  readonly enc: Bytes;
  readonly mac: Bytes;
  readonly dek: Bytes;
  readonly hostChallenge: Bytes;
  readonly cardChallenge: Bytes;
  readonly countsEmptyCommands: boolean;
  readonly extraPaddingBlocks: number;
  readonly overlooks: Manner['overlooks'];
}

/** Derives the keys of a session; the length of the challenges decides between S8 and S16. */
export function initiate(source: SessionSource): {
  readonly session: SecureSession;
  readonly cardCryptogram: Bytes;
} {
  const context = Buffer.concat([source.hostChallenge, source.cardChallenge]);
  const macBytes = source.hostChallenge.length === BLOCK ? 16 : 8;
  const bits = source.enc.length * 8;
  const staticMac = createMac(source.mac);
  const cMac = createMac(derive(staticMac, Derivation.sessionMac, bits, context));
  return {
    cardCryptogram: derive(cMac, Derivation.cardCryptogram, macBytes * 8, context),
    session: {
      phase: 'initiated',
      level: 0,
      chaining: ZERO,
      counter: 0,
      macBytes,
      sEnc: derive(createMac(source.enc), Derivation.sessionEnc, bits, context),
      cMac,
      rMac: createMac(derive(staticMac, Derivation.sessionRmac, bits, context)),
      hostCryptogram: derive(cMac, Derivation.hostCryptogram, macBytes * 8, context),
      dek: source.dek,
      countsEmptyCommands: source.countsEmptyCommands,
      extraPaddingBlocks: source.extraPaddingBlocks,
      overlooks: source.overlooks,
    },
  };
}

/** Judges EXTERNAL AUTHENTICATE. @throws Refusal 6A86 for a level that is not offered, 6982, 6300 */
export function authenticate(session: SecureSession, command: CardCommand, iParameter: number): void {
  if (!levelsOf(iParameter).includes(command.p1) || command.p2 !== 0)
    throw new Refusal(StatusWord.parametersWrong);
  if (command.data.length !== 2 * session.macBytes) throw new Refusal(StatusWord.lengthWrong);
  const cryptogram = takeMac(session, command);
  if (!equal(cryptogram, session.hostCryptogram) && !session.overlooks('host-cryptogram'))
    throw new Refusal(StatusWord.hostCryptogramWrong);
  session.level = command.p1;
  session.phase = 'open';
}

/**
 * Takes the protection off a command of an open session, whatever its class byte says.
 * @throws Refusal 6982 when it is missing or wrong; the session is aborted then.
 */
export function unwrap(session: SecureSession, command: CardCommand): CardCommand {
  try {
    if (session.phase !== 'open') throw new Refusal(StatusWord.securityNotSatisfied);
    const body = takeMac(session, command);
    if (body.length > 0 || session.countsEmptyCommands) session.counter++;
    const data = session.level & Level.cEnc && body.length > 0 ? decrypted(session, body) : body;
    return { ...command, cla: command.cla & ~PROTECTED, data };
  } catch (error) {
    session.phase = 'aborted';
    throw error;
  }
}

/** Puts on an answer what the level asks for; errors stay bare. */
export function protect(session: SecureSession, answer: CardAnswer): CardAnswer {
  const kind = answer.statusWord >> 8;
  const good = answer.statusWord === StatusWord.success || kind === 0x62 || kind === 0x63;
  if (!good || !(session.level & Level.rMac)) return answer;
  const body =
    session.level & Level.rEnc && answer.data.length > 0
      ? encryptCbc(
          session.sEnc,
          counterBlock(session, ANSWER_MARK),
          padded(answer.data, session.extraPaddingBlocks),
        )
      : answer.data;
  const statusWord = Buffer.of(kind, answer.statusWord & 0xff);
  const mac = session.rMac(session.chaining, body, statusWord).subarray(0, session.macBytes);
  return { data: Buffer.concat([body, mac]), statusWord: answer.statusWord };
}

/** The levels that go with i. Amendment D tables 5-1 and 7-5. */
export function levelsOf(iParameter: number): readonly number[] {
  const answerMac = [Level.cMac | Level.rMac, Level.cMac | Level.cEnc | Level.rMac];
  return [
    Level.cMac,
    Level.cMac | Level.cEnc,
    ...(iParameter & 0x20 ? answerMac : []),
    ...((iParameter & 0x60) === 0x60 ? [Level.cMac | Level.cEnc | Level.rMac | Level.rEnc] : []),
  ];
}

/** Checks the C-MAC and chains it; the data without it. The chaining bit of the class stays in the MAC, as
 * each frame of a chain is protected by itself. @throws Refusal 6982 */
function takeMac(session: SecureSession, command: CardCommand): Bytes {
  const { cla, ins, p1, p2, data } = command;
  const size = data.length - session.macBytes;
  if (!(cla & PROTECTED) || size < 0) throw new Refusal(StatusWord.securityNotSatisfied);
  const body = data.subarray(0, size);
  // Joined frames have the length field of a long command.
  const size16 = data.length > 0xff ? [0x00, data.length >> 8, data.length & 0xff] : [data.length];
  const header = Buffer.of(cla, ins, p1, p2, ...size16);
  const mac = session.cMac(session.chaining, header, body);
  if (!equal(mac.subarray(0, session.macBytes), data.subarray(size)) && !session.overlooks('command-mac'))
    throw new Refusal(StatusWord.securityNotSatisfied);
  session.chaining = mac;
  return body;
}

/** @throws Refusal 6982 when the text is not whole blocks or not padded. Hosts may pad by several blocks. */
function decrypted(session: SecureSession, body: Bytes): Bytes {
  if (body.length % BLOCK !== 0) throw new Refusal(StatusWord.securityNotSatisfied);
  const text = decryptCbc(session.sEnc, counterBlock(session, 0), body);
  let end = text.length - 1;
  while (end >= 0 && text[end] === 0) end--;
  if (text[end] !== 0x80) throw new Refusal(StatusWord.securityNotSatisfied);
  return text.subarray(0, end);
}

function counterBlock(session: SecureSession, mark: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block[0] = mark;
  block.writeUInt32BE(session.counter, BLOCK - 4);
  return encryptBlock(session.sEnc, block);
}

function padded(data: Bytes, extraBlocks: number): Buffer {
  const text = Buffer.alloc(data.length - (data.length % BLOCK) + BLOCK + extraBlocks * BLOCK);
  text.set(data);
  text[data.length] = 0x80;
  return text;
}
