/**
 * The secrecy of one dialogue: APDU lists and the answers to them cross the bus encrypted, each to a key that its reader
 * drew for this dialogue alone. Those keys live in memory and end with the dialogue, so a recording opens nothing,
 * whatever key leaks later. Lengths and times of messages are not hidden.
 */
import { z } from 'zod';
import { type Bytes, fromBase64, fromText, toBase64 } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { Crypto, Entropy } from '../ports.ts';
import { decodeJson } from './channel.ts';
import { type ApduList, apduList, playedExchange } from './exchanges.ts';
import { type Agreed, agreeWith, type Context, decrypt, encrypt } from './jwe.ts';

const playedExchanges = z.array(playedExchange).max(64);
export type PlayedExchanges = z.output<typeof playedExchanges>;

/** Where in which dialogue: a list and its answers have the same step, and none passes for another. */
export interface Place {
  readonly dialogue: string;
  /** Number of the list, from 1. */
  readonly step: number;
}

/** One side of a dialogue. `to`: the reader's key as its signed message names it. */
export interface Secrecy {
  /** What the other side encrypts to: 65-byte uncompressed point, base64. */
  readonly key: string;
  /** Agrees on the key of the next message ahead, so that nobody waits for it later.
   * @throws Fault ENVELOPE_INVALID when `to` is no point of P-256 */
  prepare(to: string): void;
  encryptList(at: Place, to: string, list: ApduList): string;
  encryptAnswers(at: Place, to: string, exchanges: PlayedExchanges): string;
  /** @throws Fault ENVELOPE_INVALID, MESSAGE_MALFORMED */
  decryptList(at: Place, jwe: string): ApduList;
  /** @throws Fault ENVELOPE_INVALID, MESSAGE_MALFORMED */
  decryptAnswers(at: Place, jwe: string): PlayedExchanges;
}

/** Draws this side's key. */
export function createSecrecy(means: { readonly crypto: Crypto; readonly entropy: Entropy }): Secrecy {
  const own = means.crypto.drawAgreementKey(means.entropy);
  let ahead: { readonly to: string; readonly agreed: Agreed } | null = null;
  const encrypted = (context: Context, to: string, value: object): string => {
    const agreed = ahead?.to === to ? ahead.agreed : agreeWith(fromBase64(to), means);
    ahead = null;
    return encrypt(fromText(canonicalJson(value)), agreed, context, means);
  };
  const decrypted = (context: Context, jwe: string): Bytes => decrypt(jwe, own, context, means.crypto);
  return {
    key: toBase64(own.publicKey),
    prepare: (to) => {
      if (ahead?.to !== to) ahead = { to, agreed: agreeWith(fromBase64(to), means) };
    },
    encryptList: (at, to, list) => encrypted(contextOf('list', at), to, list),
    encryptAnswers: (at, to, exchanges) => encrypted(contextOf('answers', at), to, exchanges),
    decryptList: (at, jwe) => decodeJson(apduList, decrypted(contextOf('list', at), jwe)),
    decryptAnswers: (at, jwe) => decodeJson(playedExchanges, decrypted(contextOf('answers', at), jwe)),
  };
}

/** Part of the key: `list 3` or `answers 3`, and the dialogue. */
function contextOf(what: 'list' | 'answers', { dialogue, step }: Place): Context {
  return { apu: fromText(`${what} ${step}`), apv: fromText(dialogue) };
}
