/**
 * The host's side of SCP03 up to an open channel: derivation input, INITIALIZE UPDATE, cryptograms and EXTERNAL
 * AUTHENTICATE. Keys stay with the caller; here are only the bytes they are applied to.
 *
 * Limits: logical channel 0. S16 is known from public code and vectors, not from the text of v1.2.
 *
 * @see GlobalPlatform Card Specification 2.3.1 Amendment D v1.1.1
 */
import { type Bytes, bigEndian, concat, equal, toNumber } from '../bytes.ts';
import { BLOCK_BYTES, double } from '../crypto/cmac.ts';
import { Fault } from '../faults.ts';
import { type Command, decodeAnswer, encodeCommand } from './apdu.ts';
import { type ChannelKeys, type ChannelState, openState, type SecurityLevel } from './scp03-channel.ts';
import { modeBytesOf, modeOfBytes, type Scp03Mode } from './scp03-mode.ts';

/** What a key is derived for, or a cryptogram computed for. Amendment D table 4-1. */
export const DerivationConstant = {
  cardCryptogram: 0x00,
  hostCryptogram: 0x01,
  cardChallenge: 0x02,
  sEnc: 0x04,
  sMac: 0x06,
  sRmac: 0x07,
} as const;
export type DerivationConstant = (typeof DerivationConstant)[keyof typeof DerivationConstant];

/** Key diversification data, KVN, protocol and i parameter before the card challenge. Section 7.1.1. */
const HEAD_BYTES = 13;
/** Bytes of the sequence counter, present when i has `pseudoRandom`. Section 7.1.1. */
const COUNTER_BYTES = 3;
/** SCP identifier of SCP03 in the answer to INITIALIZE UPDATE. Section 7.1.1. */
const PROTOCOL = 0x03;

/** Bits of the i parameter. Amendment D table 5-1; bit 01 is S16 of v1.2. */
export const Parameter = { s16: 0x01, pseudoRandom: 0x10, rMac: 0x20, rEnc: 0x40 } as const;

/** The first block of the derivation input: 11 x 00, constant, 00, L, i. The context follows it. */
export function derivationBlock(constant: DerivationConstant, bits: number, counter = 1): Bytes {
  return concat(
    new Uint8Array(11),
    Uint8Array.of(constant, 0x00),
    bigEndian(bits, 2),
    Uint8Array.of(counter),
  );
}

/**
 * What makes a two-block CMAC one CBC encryption: E(K, B1) xor K1, to be used as the IV over B2.
 * @param encipheredZero E(K, 16 x 00)
 * @param encipheredBlock E(K, B1)
 * @see RFC 4493 section 2.4
 */
export function derivationIv(encipheredZero: Bytes, encipheredBlock: Bytes): Bytes {
  const subkey = double(encipheredZero);
  return encipheredBlock.map((byte, i) => byte ^ (subkey[i] ?? 0));
}

/**
 * A derived key, cryptogram or challenge; two blocks are joined and cut for keys beyond AES-128. Section 4.1.5.
 * @param mac AES-CMAC under the base key
 * @param context what follows the header: host challenge || card challenge for session keys
 */
export function derived(
  mac: (message: Bytes) => Bytes,
  constant: DerivationConstant,
  bits: number,
  context: Bytes,
): Bytes {
  const blocks = Array.from({ length: Math.ceil(bits / 8 / BLOCK_BYTES) }, (_, i) =>
    mac(concat(derivationBlock(constant, bits, i + 1), context)),
  );
  return concat(...blocks).slice(0, bits / 8);
}

/** INITIALIZE UPDATE for one key version; the length of the challenge asks for S8 or S16. Section 7.1.1.1. */
export function initializeUpdate(keyVersion: number, hostChallenge: Bytes): Bytes {
  modeOfBytes(hostChallenge.length);
  return encodeCommand({ cla: 0x80, ins: 0x50, p1: keyVersion, p2: 0x00, data: hostChallenge, expected: 0 });
}

export interface InitializeUpdateAnswer {
  /** 10 bytes of vendor data, unauthenticated until the cryptogram is checked. */
  readonly diversificationData: Bytes;
  readonly parameter: number;
  readonly cardChallenge: Bytes;
  readonly cardCryptogram: Bytes;
  readonly sequenceCounter: number | null;
}

/**
 * Decodes the answer by its i parameter and by its length, which must agree.
 * @param mode that was asked for; nobody falls back to the other
 * @throws Fault CARD_ANSWER_MALFORMED when form, length, protocol, KVN or mode disagree
 * @throws Fault CARD_COMMAND_REFUSED with the status word when the card did not answer 9000
 */
export function decodeInitializeUpdate(
  answer: Bytes,
  keyVersion: number,
  mode: Scp03Mode,
): InitializeUpdateAnswer {
  const { data, statusWord } = decodeAnswer(answer);
  if (statusWord !== 0x9000)
    throw new Fault('CARD_COMMAND_REFUSED', { command: 'INITIALIZE UPDATE', statusWord });
  const [version, protocol, parameter = 0] = data.subarray(10, HEAD_BYTES);
  const counted = (parameter & Parameter.pseudoRandom) !== 0;
  const size = modeBytesOf(mode);
  const expected = HEAD_BYTES + 2 * size + (counted ? COUNTER_BYTES : 0);
  const wrong = (field: string, value: number): Fault =>
    new Fault('CARD_ANSWER_MALFORMED', { command: 'INITIALIZE UPDATE', field, value });
  if (data.length < HEAD_BYTES) throw wrong('length', data.length);
  if (protocol !== PROTOCOL) throw wrong('protocol', protocol ?? -1);
  if (modeOfParameter(parameter) !== mode) throw wrong('parameter', parameter);
  if (data.length !== expected) throw wrong('length', data.length);
  if (version !== keyVersion) throw wrong('key version', version ?? -1);
  const challengeEnd = HEAD_BYTES + size;
  const cryptogramEnd = challengeEnd + size;
  return {
    diversificationData: data.slice(0, 10),
    parameter,
    cardChallenge: data.slice(HEAD_BYTES, challengeEnd),
    cardCryptogram: data.slice(challengeEnd, cryptogramEnd),
    sequenceCounter: counted ? toNumber(data.subarray(cryptogramEnd)) : null,
  };
}

/** The mode that an i parameter belongs to. */
export function modeOfParameter(parameter: number): Scp03Mode {
  return (parameter & Parameter.s16) === 0 ? 's8' : 's16';
}

/** Host challenge || card challenge, 16 or 32 bytes: what follows the header of every derivation. Section 6.2.1. */
export function sessionContext(hostChallenge: Bytes, cardChallenge: Bytes): Bytes {
  return concat(hostChallenge, cardChallenge);
}

/** Message whose CMAC under Key-ENC starts with the pseudo-random card challenge. Section 6.2.2.1.
 * @param aid identifier of the application that was selected, 5 to 16 bytes */
export function cardChallengeMessage(sequenceCounter: number, aid: Bytes, mode: Scp03Mode): Bytes {
  return concat(
    derivationBlock(DerivationConstant.cardChallenge, 8 * modeBytesOf(mode)),
    bigEndian(sequenceCounter, COUNTER_BYTES),
    aid,
  );
}

/** The first 8 bytes, or all 16, of the CMAC under S-MAC, which prove knowledge of Key-MAC. Sections 6.2.2.2 and 6.2.2.3. */
export function cryptogram(
  mac: ChannelKeys['mac'],
  constant: typeof DerivationConstant.cardCryptogram | typeof DerivationConstant.hostCryptogram,
  context: Bytes,
): Bytes {
  const size = challengeBytesIn(context);
  return mac(concat(derivationBlock(constant, 8 * size), context)).slice(0, size);
}

/** A context has one challenge of each side. */
function challengeBytesIn(context: Bytes): 8 | 16 {
  return modeBytesOf(modeOfBytes(context.length / 2));
}

export interface Authentication {
  readonly externalAuthenticate: Bytes;
  readonly state: ChannelState;
}

/**
 * Judges the card's cryptogram in constant time and answers with the host's. Section 7.1.2.
 * @throws Fault CARD_NOT_OURS when the cryptogram is wrong: nothing may be sent, some cards count failures
 */
export function authenticateCard(
  keys: ChannelKeys,
  context: Bytes,
  cardCryptogram: Bytes,
  level: SecurityLevel,
): Authentication {
  const own = cryptogram(keys.mac, DerivationConstant.cardCryptogram, context);
  if (!equal(own, cardCryptogram)) throw new Fault('CARD_NOT_OURS', { proof: 'card cryptogram' });
  const host = cryptogram(keys.mac, DerivationConstant.hostCryptogram, context);
  const macBytes = challengeBytesIn(context);
  const header = Uint8Array.of(0x84, 0x82, level, 0x00, 2 * macBytes);
  const chain = keys.mac(concat(new Uint8Array(BLOCK_BYTES), header, host));
  const command: Command = {
    cla: 0x84,
    ins: 0x82,
    p1: level,
    p2: 0x00,
    data: concat(host, chain.subarray(0, macBytes)),
  };
  return { externalAuthenticate: encodeCommand(command), state: openState(chain, level, macBytes) };
}
