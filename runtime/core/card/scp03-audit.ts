/**
 * A recorded SCP03 session judged afterwards by whoever has its keys. It compares and gives nothing else away:
 * each code that is sent is 8 bytes, and behind the first wrong one nothing is judged, so that one call is one guess.
 *
 * Limits: level 33 (C-MAC, C-ENC, R-MAC, R-ENC), as every channel of ours.
 *
 * @see GlobalPlatform Card Specification 2.3.1 Amendment D v1.1.1 section 6.2
 */
import { type Bytes, equal } from '../bytes.ts';
import { isFault } from '../faults.ts';
import {
  authenticateCard,
  CHALLENGE_BYTES,
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
  MAC_BYTES,
  unwrapAnswer,
} from './scp03-channel.ts';

/** Exchanges of one session; the longest list of a dialogue has a few dozen. */
export const RECORDED_MAX = 512;

export type RecordedExchange =
  | { readonly kind: 'command'; readonly command: Bytes; readonly answer: Bytes }
  /** PUT KEY, whose data are kept as a hash: its C-MAC as sent, and the whole chaining value behind it, 16 bytes. */
  | { readonly kind: 'put-key'; readonly mac: Bytes; readonly chain: Bytes; readonly answer: Bytes };

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

/** Null: it cannot be judged. A PUT KEY has no data to make its code from, a bare error status word has no code,
 * and nothing is judged behind what is wrong. */
export interface SessionAudit {
  readonly cardCryptogram: boolean;
  readonly challengeRecomputed: boolean | null;
  /** Host cryptogram and C-MAC of EXTERNAL AUTHENTICATE. */
  readonly externalAuthenticate: boolean | null;
  readonly exchanges: readonly { readonly command: boolean | null; readonly answer: boolean | null }[];
}

/** @param derive session keys from host challenge || card challenge, and the CMAC of the challenge message
 * @throws RangeError for a record that is too long; Fault of an answer to INITIALIZE UPDATE that is none */
export function auditSession(
  recorded: RecordedSession,
  keyVersion: number,
  derive: (
    context: Bytes,
    challengeMessage: Bytes | null,
  ) => { readonly keys: ChannelKeys; readonly challenge: Bytes | null },
): SessionAudit {
  if (recorded.exchanges.length > RECORDED_MAX)
    throw new RangeError('too many exchanges in a recorded session');
  const card = decodeInitializeUpdate(recorded.initialized, keyVersion);
  const context = sessionContext(recorded.hostChallenge, card.cardChallenge);
  const message =
    card.sequenceCounter === null ? null : cardChallengeMessage(card.sequenceCounter, recorded.aid);
  const { keys, challenge } = derive(context, message);
  const unjudged = recorded.exchanges.map(() => ({ command: null, answer: null }));
  const own = cryptogram(keys.mac, DerivationConstant.cardCryptogram, context);
  const cardCryptogram = equal(own, card.cardCryptogram);
  const challengeRecomputed =
    challenge === null ? null : equal(challenge.subarray(0, CHALLENGE_BYTES), card.cardChallenge);
  const { externalAuthenticate: sent } = recorded;
  if (!cardCryptogram || sent === null)
    return { cardCryptogram, challengeRecomputed, externalAuthenticate: null, exchanges: unjudged };
  const host = authenticateCard(keys, context, card.cardCryptogram, LEVEL_FULL);
  const externalAuthenticate = equal(host.externalAuthenticate, sent);
  const exchanges = externalAuthenticate
    ? auditExchanges(keys, host.state.chain, recorded.exchanges)
    : unjudged;
  return { cardCryptogram, challengeRecomputed, externalAuthenticate, exchanges };
}

function auditExchanges(
  keys: ChannelKeys,
  first: Bytes,
  exchanges: readonly RecordedExchange[],
): SessionAudit['exchanges'] {
  let chain = first;
  let broken = false;
  return exchanges.map((exchange, i) => {
    if (broken) return { command: null, answer: null };
    const command = commandOf(keys, chain, exchange);
    chain = command.chain;
    const answer = command.right === false ? null : isAnswerRight(keys, chain, i + 1, exchange.answer);
    broken = command.right === false || answer === false;
    return { command: command.right, answer };
  });
}

function commandOf(keys: ChannelKeys, chain: Bytes, exchange: RecordedExchange) {
  if (exchange.kind === 'put-key') {
    const fits = equal(exchange.chain.subarray(0, MAC_BYTES), exchange.mac) && exchange.chain.length === 16;
    return { right: fits ? null : false, chain: exchange.chain };
  }
  const own = commandChain(keys, chain, exchange.command);
  const end = 5 + (exchange.command[4] ?? 0);
  return {
    right: equal(own.subarray(0, MAC_BYTES), exchange.command.subarray(end - MAC_BYTES, end)),
    chain: own,
  };
}

/** Null for a bare error status word. Decryption is tried only behind a right R-MAC. */
function isAnswerRight(keys: ChannelKeys, chain: Bytes, counter: number, bytes: Bytes): boolean | null {
  try {
    const state = { level: LEVEL_FULL, chain, counter, awaited: [{ chain, counter }] } as const;
    const { answer } = unwrapAnswer(keys, state, bytes);
    return carriesMac(answer.statusWord) ? true : null;
  } catch (error) {
    if (isFault(error)) return false;
    throw error;
  }
}
