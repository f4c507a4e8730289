/**
 * A recorded SCP03 session judged afterwards by whoever has its keys. It compares and gives nothing else away:
 * each code that is sent is 8 bytes or 16, and behind the first wrong one nothing is judged, so that one call is one guess.
 *
 * Limits: level 33 (C-MAC, C-ENC, R-MAC, R-ENC), as every channel of ours.
 *
 * @see GlobalPlatform Card Specification 2.3.1 Amendment D v1.1.1 section 6.2
 */
import { type Bytes, equal } from '../bytes.ts';
import { isFault } from '../faults.ts';
import type { KeySet } from '../token.ts';
import { type Command, commandParts } from './apdu.ts';
import {
  authenticateCard,
  cardChallengeMessage,
  cryptogram,
  DerivationConstant,
  decodeInitializeUpdate,
  sessionContext,
} from './scp03.ts';
import {
  type ChannelKeys,
  carriesMac,
  commandChain,
  LEVEL_FULL,
  type MacBytes,
  unwrapAnswer,
  wrapCommand,
} from './scp03-channel.ts';
import { modeBytesOf, modeOfBytes } from './scp03-mode.ts';

/** Exchanges of one session; the longest list of a dialogue has a few dozen. */
export const RECORDED_MAX = 512;

export type RecordedExchange =
  | { readonly kind: 'command'; readonly command: Bytes; readonly answer: Bytes }
  | RecordedPutKey;

/** PUT KEY, whose data are kept as a hash. */
export interface RecordedPutKey {
  readonly kind: 'put-key';
  /** The set that it puts where it was not spoilt; null for one that was drawn. */
  readonly keys: KeySet | null;
  readonly replaces: boolean;
  /** SHA-256 of the encrypted data. */
  readonly digest: Bytes;
  /** The C-MAC as sent, 8 bytes or 16, and the whole chaining value behind it, 16 bytes. */
  readonly mac: Bytes;
  readonly chain: Bytes;
  readonly answer: Bytes;
}

export interface RecordedSession {
  /** Identifier of the application that was selected. */
  readonly aid: Bytes;
  readonly hostChallenge: Bytes;
  /** Answer to INITIALIZE UPDATE. */
  readonly initialized: Bytes;
  /** The command; null where the session went no further. */
  readonly externalAuthenticate: Bytes | null;
  readonly exchanges: readonly RecordedExchange[];
}

/** Null: it cannot be judged. A PUT KEY that does not carry the set that is named, or none is named, has no data to
 * make its code from; a bare error status word has no code; and nothing is judged behind what is wrong. */
export interface SessionAudit {
  readonly cardCryptogram: boolean;
  readonly challengeRecomputed: boolean | null;
  /** Host cryptogram and C-MAC of EXTERNAL AUTHENTICATE. */
  readonly externalAuthenticate: boolean | null;
  readonly exchanges: readonly { readonly command: boolean | null; readonly answer: boolean | null }[];
}

/** What a token does for an audit; nothing of it leaves the token. */
export interface AuditMeans {
  /** Session keys from host challenge || card challenge, and the CMAC of the challenge message. */
  derive(source: {
    readonly context: Bytes;
    readonly challengeMessage: Bytes | null;
    /** As the card gave it, 10 bytes. */
    readonly diversificationData: Bytes;
  }): { readonly keys: ChannelKeys; readonly challenge: Bytes | null };
  /** Plain PUT KEY commands for a set, wrapped under the Key-DEK of the session's set: one in each form. */
  putKeys(keys: KeySet, replaces: boolean): readonly Command[];
  sha256(bytes: Bytes): Bytes;
}

/** @throws RangeError for a record that is too long; Fault of an answer to INITIALIZE UPDATE that is none */
export function auditSession(recorded: RecordedSession, keyVersion: number, means: AuditMeans): SessionAudit {
  if (recorded.exchanges.length > RECORDED_MAX)
    throw new RangeError('too many exchanges in a recorded session');
  const mode = modeOfBytes(recorded.hostChallenge.length);
  const card = decodeInitializeUpdate(recorded.initialized, keyVersion, mode);
  const context = sessionContext(recorded.hostChallenge, card.cardChallenge);
  const { keys, challenge } = means.derive({
    context,
    challengeMessage:
      card.sequenceCounter === null ? null : cardChallengeMessage(card.sequenceCounter, recorded.aid, mode),
    diversificationData: card.diversificationData,
  });
  const unjudged = recorded.exchanges.map(() => ({ command: null, answer: null }));
  const own = cryptogram(keys.mac, DerivationConstant.cardCryptogram, context);
  const cardCryptogram = equal(own, card.cardCryptogram);
  const challengeRecomputed =
    challenge === null ? null : equal(challenge.subarray(0, modeBytesOf(mode)), card.cardChallenge);
  const { externalAuthenticate: sent } = recorded;
  if (!cardCryptogram || sent === null)
    return { cardCryptogram, challengeRecomputed, externalAuthenticate: null, exchanges: unjudged };
  const host = authenticateCard(keys, context, card.cardCryptogram, LEVEL_FULL);
  const externalAuthenticate = equal(host.externalAuthenticate, sent);
  const exchanges = externalAuthenticate
    ? auditExchanges({ keys, means, macBytes: modeBytesOf(mode) }, host.state.chain, recorded.exchanges)
    : unjudged;
  return { cardCryptogram, challengeRecomputed, externalAuthenticate, exchanges };
}

interface Judge {
  readonly keys: ChannelKeys;
  readonly means: AuditMeans;
  readonly macBytes: MacBytes;
}

function auditExchanges(
  judge: Judge,
  first: Bytes,
  exchanges: readonly RecordedExchange[],
): SessionAudit['exchanges'] {
  let chain = first;
  let broken = false;
  return exchanges.map((exchange, i) => {
    if (broken) return { command: null, answer: null };
    const command = commandOf(judge, chain, exchange, i);
    chain = command.chain;
    const answer = command.right === false ? null : isAnswerRight(judge, chain, i + 1, exchange.answer);
    broken = command.right === false || answer === false;
    return { command: command.right, answer };
  });
}

/** @param counter commands protected before this one */
function commandOf(judge: Judge, chain: Bytes, exchange: RecordedExchange, counter: number) {
  const { macBytes } = judge;
  if (exchange.kind === 'put-key') {
    const fits = equal(exchange.chain.subarray(0, macBytes), exchange.mac) && exchange.chain.length === 16;
    const isMade = fits && isMadeAgain(judge, chain, exchange, counter);
    return { right: isMade ? true : fits ? null : false, chain: exchange.chain };
  }
  const own = commandChain(judge.keys, { chain, macBytes }, exchange.command);
  const { data } = commandParts(exchange.command);
  return {
    right: equal(own.subarray(0, macBytes), data.subarray(-macBytes)),
    chain: own,
  };
}

/** Whether the set that is named, wrapped and protected once more, is what was sent. */
function isMadeAgain(
  { keys, means, macBytes }: Judge,
  chain: Bytes,
  { keys: put, replaces, digest, chain: behind }: RecordedPutKey,
  counter: number,
): boolean {
  if (put === null) return false;
  return means.putKeys(put, replaces).some((plain) => {
    const before = { level: LEVEL_FULL, macBytes, chain, counter, awaited: [] } as const;
    const { command, state } = wrapCommand(keys, before, plain);
    const data = command.subarray(5, 5 + (command[4] ?? 0) - macBytes);
    return equal(means.sha256(data), digest) && equal(state.chain, behind);
  });
}

/** Null for a bare error status word. Decryption is tried only behind a right R-MAC. */
function isAnswerRight(
  { keys, macBytes }: Judge,
  chain: Bytes,
  counter: number,
  bytes: Bytes,
): boolean | null {
  try {
    const state = { level: LEVEL_FULL, macBytes, chain, counter, awaited: [{ chain, counter }] } as const;
    const { answer } = unwrapAnswer(keys, state, bytes);
    return carriesMac(answer.statusWord) ? true : null;
  } catch (error) {
    if (isFault(error)) return false;
    throw error;
  }
}
