/**
 * The gateway's key store in the verbs of provisioning. Everything of SCP03 that needs a key happens behind
 * this port; no key, template, mechanism or handle crosses it.
 *
 * @see GlobalPlatform Card Specification 2.3.1 Amendment D (SCP03)
 */
import type { Bytes } from './bytes.ts';
import type { Answer, Command } from './card/apdu.ts';
import type { TransportScheme } from './card/import-schemes.ts';
import type { KeyAlgorithm } from './card/key-algorithm.ts';
import type { RecordedSession, SessionAudit } from './card/scp03-audit.ts';
import type { Scp03Mode } from './card/scp03-mode.ts';

/** A key set (K-ENC, K-MAC, K-DEK) by what it is derived from. */
export type KeySet = TransportSet | FleetSet;

/** What the chip came with. A vendor's scheme begins with what the chip says when its channel is opened. */
export interface TransportSet {
  readonly origin: 'transport';
  readonly scheme: TransportScheme;
  readonly algorithm: KeyAlgorithm;
  readonly eid: string;
  readonly keyVersion: number;
}

export interface FleetSet {
  readonly origin: 'fleet';
  readonly algorithm: KeyAlgorithm;
  readonly generation: number;
  readonly eid: string;
  readonly keyVersion: number;
}

export interface TokenDescription {
  /** A token that computes in this machine's memory; refused outside a declared laboratory. */
  readonly softwareToken: boolean;
  readonly module: string;
  readonly label: string;
  readonly serial: string;
}

/** First 3 bytes of AES-ECB over 16 x 01, hexadecimal, for K-ENC, K-MAC, K-DEK. GPCS 2.3.1 section B.6. */
export type CheckValues = readonly [enc: string, mac: string, dek: string];

export interface ChannelOpening {
  /** Names the channel inside the token's process; dies with that process. */
  readonly channel: string;
  /** INITIALIZE UPDATE with a fresh host challenge drawn by the token. */
  readonly initializeUpdate: Bytes;
}

export interface ChannelProof {
  readonly externalAuthenticate: Bytes;
  /** The i parameter of the card's answer. Amendment D table 5-1. */
  readonly parameter: number;
  /** Null where the card has no pseudo-random challenge. */
  readonly sequenceCounter: number | null;
  /** Whether the card challenge could be recomputed from K-ENC; null where the card draws it at random. */
  readonly challengeRecomputed: boolean | null;
}

/** A key set that nobody keeps: the token drew it for one proof. It dies with its channel. */
export interface ScratchSet {
  readonly origin: 'scratch';
  /** From `openScratchChannel`. */
  readonly channel: string;
  readonly keyVersion: number;
}

export interface PutKeyCommand {
  /** Each key is wrapped under the channel's K-DEK, then the command is protected. */
  readonly keys: KeySet | ScratchSet;
  /** `explicit-length`: form A, `block-only`: form B. GPCS 2.3.1 section 11.8.2.3. */
  readonly form: 'explicit-length' | 'block-only';
  /** Makes the check value of one key wrong: a chip that unwraps and compares must refuse it. */
  readonly spoilt?: boolean;
  /** Takes the place of the set that has this version; otherwise the set is added. */
  readonly replaces?: boolean;
}

export interface Token {
  describe(): Promise<TokenDescription>;
  /** `mode`: S8 unless the card profile says S16. `dialogue`: channels that are to know one another, one wrapping
   * what another drew, name the same. @throws Fault HSM_FAILED */
  openChannel(keys: KeySet, mode?: Scp03Mode, dialogue?: string): Promise<ChannelOpening>;
  /** A channel under a key set that is drawn for it. To be put on the chip before it is authenticated.
   * @throws Fault HSM_FAILED */
  openScratchChannel(
    keyVersion: number,
    algorithm: KeyAlgorithm,
    mode?: Scp03Mode,
    dialogue?: string,
  ): Promise<ChannelOpening>;
  /** Judges the answer to INITIALIZE UPDATE (data and status word) in constant time. `aid`: the selected
   * application, for the pseudo-random challenge.
   * @throws Fault CARD_NOT_OURS when the cryptogram is wrong: EXTERNAL AUTHENTICATE must not be sent.
   * @throws Fault CARD_ANSWER_MALFORMED when form and length disagree */
  authenticate(channel: string, answer: Bytes, aid: Bytes): Promise<ChannelProof>;
  /** Protects commands in order: C-MAC and C-ENC. */
  wrap(channel: string, commands: readonly (Command | PutKeyCommand)[]): Promise<readonly Bytes[]>;
  wrapPutKey(
    channel: string,
    put: PutKeyCommand,
  ): Promise<{ readonly command: Bytes; readonly checkValues: CheckValues }>;
  /** Checks R-MAC and decrypts, in order. The first answer belongs to the oldest command that has none yet.
   * Error status words come bare and are returned as they are.
   * @throws Fault CARD_CHANNEL_BROKEN, after which the channel is gone */
  unwrap(channel: string, answers: readonly Bytes[]): Promise<readonly Answer[]>;
  /** MAC chaining values, 16 bytes, behind each PUT KEY protected in this channel, in order. Of the commands only
   * hashes are kept; from these values whoever audits the session later goes on. */
  putKeyChains(channel: string): Promise<readonly Bytes[]>;
  /** Makes every code of a recorded session again, under the keys it was held with, and says which are right. It
   * only compares: no code, key or plain text is given out, and behind the first wrong one nothing is judged.
   * @throws RangeError for a record longer than `RECORDED_MAX` */
  auditSession(keys: KeySet, session: RecordedSession): Promise<SessionAudit>;
  closeChannel(channel: string): Promise<void>;
  /** @throws Fault CONFIG_INVALID for a transport set that is not derived by the EID-KDF */
  checkValues(keys: KeySet): Promise<CheckValues>;
  /** `key` names a P-256 key of the key policy. r || s over SHA-256 of the message, 64 bytes. */
  sign(key: string, message: Bytes): Promise<Bytes>;
  /** 65-byte uncompressed point. */
  publicKey(key: string): Promise<Bytes>;
  close(): Promise<void>;
}
