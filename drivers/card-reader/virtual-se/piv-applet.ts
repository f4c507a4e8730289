/**
 * A PIV-shaped applet: P-256 key pairs made on the chip, signatures, and data objects. Administration is by
 * SCP03 alone (no 9B management key); slots 9A, 9C and 9E; no key import, no key agreement.
 *
 * @see NIST SP 800-73-4 part 2; the manner of OpenFIPS201 for administration over SCP03
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import type { Entropy } from '../../../runtime/core/ports.ts';
import { privateKeyFrom, publicKeyOf, signDigest } from '../../crypto/ecdsa.ts';
import type { Application } from './application.ts';
import { createChain } from './chaining.ts';
import type { ChipState } from './chip.ts';
import { derSignature } from './der-signature.ts';
import type { Manner } from './manner.ts';
import { createPin, type Pin } from './pin.ts';
import { Level, type SecureSession } from './secure-channel.ts';
import { parseTlvs, tlv, valueIn } from './tlv.ts';
import { type CardAnswer, type CardCommand, Refusal, StatusWord, success } from './wire.ts';

/** SP 800-73-4 part 2 table 2. */
const Instruction = {
  verify: 0x20,
  generate: 0x47,
  authenticate: 0x87,
  getData: 0xcb,
  putData: 0xdb,
} as const;

/** What a signature with each slot asks of its user. SP 800-73-4 part 1 table 4b. */
const SLOTS: Readonly<Record<number, 'none' | 'pin' | 'pin-each-time'>> = {
  154: 'pin',
  156: 'pin-each-time',
  158: 'none',
};

/** Mechanism ECC P-256. SP 800-78-4 table 6-2. */
const P256 = 0x11;
const DIGEST_BYTES = 32;
const OBJECT_BYTES_MAX = 3072;
/** Random bytes a private scalar is made from. */
const SCALAR_RANDOM_BYTES = 40;

interface Applet {
  readonly state: ChipState;
  readonly entropy: Entropy;
  readonly pin: Pin;
  readonly manner: Manner;
}

export function createPivApplet(state: ChipState, entropy: Entropy, manner: Manner): Application {
  const aid = Buffer.from(state.profile.appletAid, 'hex');
  const chain = createChain();
  const applet: Applet = { state, entropy, pin: createPin(state), manner };
  return {
    aid,
    // The application identifier without the issuer's five bytes, and the tag allocation authority.
    select: () => success(tlv(0x61, tlv(0x4f, aid.subarray(5)), tlv(0x79, tlv(0x4f, aid.subarray(0, 5))))),
    process: (command, session) => {
      if ((command.cla & 0xef) !== 0x00) throw new Refusal(StatusWord.classUnknown);
      if (isAdministration(command.ins) && !isAdministrator(session))
        throw new Refusal(StatusWord.securityNotSatisfied);
      const whole = chain.collect(command, session);
      return whole === null ? success() : carryOut(applet, whole);
    },
    reset: () => {
      chain.reset();
      applet.pin.forget();
    },
  };
}

function isAdministration(ins: number): boolean {
  return ins === Instruction.generate || ins === Instruction.putData;
}

function isAdministrator(session: SecureSession | null): boolean {
  const needed = Level.cMac | Level.cEnc;
  return session !== null && (session.level & needed) === needed;
}

function carryOut(applet: Applet, command: CardCommand): CardAnswer {
  switch (command.ins) {
    case Instruction.verify:
      return applet.pin.verify(command);
    case Instruction.generate:
      return generate(applet, command);
    case Instruction.authenticate:
      return sign(applet, command);
    case Instruction.getData:
      return getData(applet.state, command);
    case Instruction.putData:
      return putData(applet, command);
    default:
      throw new Refusal(StatusWord.instructionUnknown);
  }
}

/** `AC{80 11}`: a new key pair takes the place of the one before. */
function generate({ state, entropy }: Applet, command: CardCommand): CardAnswer {
  const slot = slotOf(command);
  if (command.p1 !== 0) throw new Refusal(StatusWord.parametersWrong);
  const mechanism = valueIn(parseTlvs(valueIn(parseTlvs(command.data), 0xac) ?? EMPTY), 0x80);
  if (mechanism?.length !== 1 || mechanism[0] !== P256) throw new Refusal(StatusWord.dataWrong);
  const privateKey = privateKeyFrom(entropy.bytes(SCALAR_RANDOM_BYTES));
  state.pairs[slot.toString(16)] = privateKey.toString('hex');
  return success(tlv(0x7f49, tlv(0x86, publicKeyOf(privateKey))));
}

/** `7C{82 00, 81 digest}` gives `7C{82 signature}`. */
function sign({ state, pin, manner }: Applet, command: CardCommand): CardAnswer {
  const slot = slotOf(command);
  if (command.p1 !== P256) throw new Refusal(StatusWord.dataWrong);
  const template = parseTlvs(valueIn(parseTlvs(command.data), 0x7c) ?? EMPTY);
  const digest = valueIn(template, 0x81);
  if (valueIn(template, 0x82)?.length !== 0 || digest?.length !== DIGEST_BYTES)
    throw new Refusal(StatusWord.dataWrong);
  const key = state.pairs[slot.toString(16)];
  if (key === undefined) throw new Refusal(StatusWord.referenceAbsent);
  const rule = SLOTS[slot];
  if (rule !== 'none' && !pin.admits(rule === 'pin-each-time'))
    throw new Refusal(StatusWord.securityNotSatisfied);
  const signature = signDigest(Buffer.from(manner.signsWith(key), 'hex'), digest);
  return success(tlv(0x7c, tlv(0x82, derSignature(signature))));
}

/** `5C tag` gives `53 len ...`. */
function getData(state: ChipState, command: CardCommand): CardAnswer {
  const object = state.objects[objectTag(command, valueIn(parseTlvs(command.data), 0x5c))];
  if (object === undefined) throw new Refusal(StatusWord.objectAbsent);
  return success(tlv(0x53, Buffer.from(object, 'hex')));
}

/** `5C tag, 53 len ...`; an empty 53 deletes. */
function putData({ state, manner }: Applet, command: CardCommand): CardAnswer {
  const items = parseTlvs(command.data);
  const tag = objectTag(command, valueIn(items, 0x5c));
  const value = valueIn(items, 0x53);
  if (value === undefined || items.length !== 2) throw new Refusal(StatusWord.dataWrong);
  if (value.length > OBJECT_BYTES_MAX) throw new Refusal(StatusWord.memoryFull);
  if (value.length === 0) delete state.objects[tag];
  else state.objects[tag] = manner.writes(Buffer.from(value).toString('hex'));
  return success();
}

/** Objects 5FC1xx: `5fc101`. */
function objectTag(command: CardCommand, tag: Bytes | undefined): string {
  if (command.p1 !== 0x3f || command.p2 !== 0xff) throw new Refusal(StatusWord.parametersWrong);
  if (tag === undefined) throw new Refusal(StatusWord.dataWrong);
  const name = Buffer.from(tag).toString('hex');
  if (!/^5fc1..$/.test(name)) throw new Refusal(StatusWord.objectAbsent);
  return name;
}

function slotOf(command: CardCommand): number {
  if (SLOTS[command.p2] === undefined) throw new Refusal(StatusWord.parametersWrong);
  return command.p2;
}

const EMPTY = Buffer.alloc(0);
