/**
 * An SE05x-shaped applet: objects by number, P-256 key pairs made on the chip, signatures, binary files. What
 * changes an object needs SCP03; no policies, no attestation, no import of keys, no user sessions.
 *
 * @see NXP AN12413; known from public code
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import type { Entropy } from '../../../runtime/core/ports.ts';
import { privateKeyFrom, publicKeyOf, signDigest } from '../../crypto/ecdsa.ts';
import type { Application } from './application.ts';
import type { ChipState } from './chip.ts';
import { derSignature } from './der-signature.ts';
import type { Manner } from './manner.ts';
import { Level } from './secure-channel.ts';
import { parseTlvs, type Tlv, tlv, valueIn } from './tlv.ts';
import { type CardAnswer, type CardCommand, Refusal, StatusWord, success } from './wire.ts';

const Instruction = { write: 0x01, read: 0x02, crypto: 0x03, manage: 0x04 } as const;
const KEY_PAIR = 0x61;
const BINARY = 0x06;
const SIGNATURE = 0x0c;
const SIGN = 0x09;
const DELETE = 0x28;
const P256 = 0x03;
const ECDSA_SHA_256 = 0x21;
const DIGEST_BYTES = 32;
const FILE_BYTES_MAX = 3072;
/** Random bytes a private scalar is made from. */
const SCALAR_RANDOM_BYTES = 40;

interface Applet {
  readonly state: ChipState;
  readonly entropy: Entropy;
  readonly manner: Manner;
}

export function createSe05xApplet(state: ChipState, entropy: Entropy, manner: Manner): Application {
  const needed = Level.cMac | Level.cEnc;
  return {
    aid: Buffer.from(state.profile.appletAid, 'hex'),
    // Version of the applet, its configuration, and of its secure box.
    select: () => success(Buffer.from('0701006fff010b', 'hex')),
    process: (command, session) => {
      if (command.cla !== 0x80) throw new Refusal(StatusWord.classUnknown);
      const changes = command.ins === Instruction.write || command.ins === Instruction.manage;
      if (changes && (session === null || (session.level & needed) !== needed))
        throw new Refusal(StatusWord.conditionsNotSatisfied);
      return carryOut({ state, entropy, manner }, command, parseTlvs(command.data));
    },
    reset: () => undefined,
  };
}

function carryOut(applet: Applet, { ins, p1, p2 }: CardCommand, tlvs: readonly Tlv[]): CardAnswer {
  const object = numberIn(tlvs, 0x41, 4).toString(16).padStart(8, '0');
  if (ins === Instruction.write && p1 === KEY_PAIR) return generate(applet, object, tlvs);
  if (ins === Instruction.write && p1 === BINARY) return write(applet, object, tlvs);
  if (ins === Instruction.read && p1 === 0) return read(applet, object, tlvs);
  if (ins === Instruction.crypto && p1 === SIGNATURE && p2 === SIGN) return sign(applet, object, tlvs);
  if (ins === Instruction.manage && p2 === DELETE) return remove(applet, object);
  throw new Refusal(StatusWord.instructionUnknown);
}

function generate({ state, entropy }: Applet, object: string, tlvs: readonly Tlv[]): CardAnswer {
  if (valueIn(tlvs, 0x42)?.[0] !== P256) throw new Refusal(StatusWord.dataWrong);
  if (valueIn(tlvs, 0x43) !== undefined || valueIn(tlvs, 0x44) !== undefined)
    throw new Refusal(StatusWord.functionNotSupported);
  state.pairs[object] = privateKeyFrom(entropy.bytes(SCALAR_RANDOM_BYTES)).toString('hex');
  return success();
}

function sign({ state, manner }: Applet, object: string, tlvs: readonly Tlv[]): CardAnswer {
  const key = state.pairs[object];
  if (key === undefined) throw new Refusal(StatusWord.conditionsNotSatisfied);
  const digest = valueIn(tlvs, 0x43);
  if (valueIn(tlvs, 0x42)?.[0] !== ECDSA_SHA_256 || digest?.length !== DIGEST_BYTES)
    throw new Refusal(StatusWord.dataWrong);
  const signature = signDigest(Buffer.from(manner.signsWith(key), 'hex'), digest);
  return success(tlv(0x41, derSignature(signature)));
}

/** A file gets its length with its first part, and keeps it. */
function write({ state }: Applet, object: string, tlvs: readonly Tlv[]): CardAnswer {
  const data = valueIn(tlvs, 0x44) ?? new Uint8Array(0);
  const offset = valueIn(tlvs, 0x42) === undefined ? 0 : numberIn(tlvs, 0x42, 2);
  const present = state.objects[object];
  if ((valueIn(tlvs, 0x43) === undefined) !== (present !== undefined))
    throw new Refusal(StatusWord.conditionsNotSatisfied);
  const file = present === undefined ? blank(numberIn(tlvs, 0x43, 2)) : Buffer.from(present, 'hex');
  if (offset + data.length > file.length) throw new Refusal(StatusWord.dataWrong);
  file.set(data, offset);
  state.objects[object] = file.toString('hex');
  return success();
}

function blank(size: number): Buffer {
  if (size === 0 || size > FILE_BYTES_MAX) throw new Refusal(StatusWord.memoryFull);
  return Buffer.alloc(size);
}

/** A key pair reads as its public point. */
function read({ state }: Applet, object: string, tlvs: readonly Tlv[]): CardAnswer {
  const key = state.pairs[object];
  if (key !== undefined) return success(tlv(0x41, publicKeyOf(Buffer.from(key, 'hex'))));
  const file = state.objects[object];
  if (file === undefined) throw new Refusal(StatusWord.conditionsNotSatisfied);
  const bytes = Buffer.from(file, 'hex');
  const offset = valueIn(tlvs, 0x42) === undefined ? 0 : numberIn(tlvs, 0x42, 2);
  const size = valueIn(tlvs, 0x43) === undefined ? bytes.length - offset : numberIn(tlvs, 0x43, 2);
  if (offset + size > bytes.length) throw new Refusal(StatusWord.dataWrong);
  return success(tlv(0x41, bytes.subarray(offset, offset + size)));
}

function remove({ state }: Applet, object: string): CardAnswer {
  if (state.pairs[object] === undefined && state.objects[object] === undefined)
    throw new Refusal(StatusWord.conditionsNotSatisfied);
  delete state.pairs[object];
  delete state.objects[object];
  return success();
}

/** A number of just so many bytes. @throws Refusal 6A80 */
function numberIn(tlvs: readonly Tlv[], tag: number, size: number): number {
  const value: Bytes | undefined = valueIn(tlvs, tag);
  if (value?.length !== size) throw new Refusal(StatusWord.dataWrong);
  return Buffer.from(value).readUIntBE(0, size);
}
