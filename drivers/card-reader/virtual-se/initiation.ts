/**
 * INITIALIZE UPDATE: picks the key set, moves its counter and begins a session.
 *
 * @see GlobalPlatform Amendment D v1.1.1 sections 6.2.2.1 and 7.1.1
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import type { ChipState, KeySet } from './chip.ts';
import { createMac, Derivation, derive } from './cipher.ts';
import type { Manner } from './manner.ts';
import { initiate, type SecureSession } from './secure-channel.ts';
import { type CardAnswer, type CardCommand, Refusal, StatusWord, success } from './wire.ts';

/** Bits of the i parameter. Amendment D table 5-1; the S16 bit by public code. */
const PSEUDO_RANDOM = 0x10;
const LONG = 0x01;
const SCP03 = 0x03;
const COUNTER_MAX = 0xffffff;

export interface Initiation {
  readonly session: SecureSession;
  readonly answer: CardAnswer;
}

/**
 * @param aid of the application that is selected: it goes into the calculated challenge.
 * @throws Refusal 6A86, 6700 (challenge of the other mode), 6A88 (no such set), 6985 (counter used up)
 */
export function initializeUpdate(
  state: ChipState,
  command: CardCommand,
  source: {
    readonly aid: Bytes;
    readonly random: (count: number) => Bytes;
    readonly overlooks: Manner['overlooks'];
  },
): Initiation {
  const { iParameter, randomChallenge, countsEmptyCommands, extraPaddingBlocks } = state.profile;
  const size = iParameter & LONG ? 16 : 8;
  if (command.p2 !== 0) throw new Refusal(StatusWord.parametersWrong);
  if (command.data.length !== size) throw new Refusal(StatusWord.lengthWrong);
  const set = keySetOf(state, command.p1);
  if (set === undefined) throw new Refusal(StatusWord.referenceAbsent);
  const counts = (iParameter & PSEUDO_RANDOM) !== 0;
  if (counts && set.sequenceCounter >= COUNTER_MAX) throw new Refusal(StatusWord.conditionsNotSatisfied);
  const counter = counterBytes(counts ? set.sequenceCounter + 1 : 0);
  const enc = Buffer.from(set.enc, 'hex');
  const cardChallenge =
    counts && !randomChallenge
      ? derive(createMac(enc), Derivation.cardChallenge, size * 8, Buffer.concat([counter, source.aid]))
      : source.random(size);
  const { session, cardCryptogram } = initiate({
    enc,
    mac: Buffer.from(set.mac, 'hex'),
    dek: Buffer.from(set.dek, 'hex'),
    hostChallenge: command.data,
    cardChallenge,
    countsEmptyCommands,
    extraPaddingBlocks,
    overlooks: source.overlooks,
  });
  if (counts) set.sequenceCounter++;
  const protocol = Buffer.of(set.keyVersion, SCP03, iParameter);
  const head = [Buffer.from(state.kdd, 'hex'), protocol, cardChallenge, cardCryptogram];
  return { session, answer: success(Buffer.concat(counts ? [...head, counter] : head)) };
}

/** The set with this version; 00 asks for the default set. */
export function keySetOf(state: ChipState, keyVersion: number): KeySet | undefined {
  if (keyVersion === 0) return state.keySets[0];
  return state.keySets.find((set) => set.keyVersion === keyVersion);
}

/** Three bytes; undefined when this card keeps no counter. GET DATA C1 shows that of the default set. */
export function defaultCounter(state: ChipState): Bytes | undefined {
  const set = state.keySets[0];
  return set !== undefined && state.profile.iParameter & PSEUDO_RANDOM
    ? counterBytes(set.sequenceCounter)
    : undefined;
}

function counterBytes(counter: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(counter, 0, 3);
  return bytes;
}
