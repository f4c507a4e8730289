/**
 * What stands behind every token driver: key sets and signing keys by name, used synchronously. Nothing here
 * takes or returns a key; `verbs.ts` makes the port's verbs of it.
 */
import type { Bytes } from '../../runtime/core/bytes.ts';
import type { KeyAlgorithm } from '../../runtime/core/card/key-algorithm.ts';
import type { ChannelKeys } from '../../runtime/core/card/scp03-channel.ts';
import type { WrappedKey } from '../../runtime/core/card/scp03-put-key.ts';
import type { CheckValues, KeySet, TokenDescription } from '../../runtime/core/token.ts';

export interface Vault {
  readonly description: TokenDescription;
  random(count: number): Bytes;
  /** Derives the key set anew. @throws Fault CONFIG_INVALID when there is no such master or key version */
  openChannel(keys: KeySet): VaultChannel;
  /** Draws a key set that only a chip will get. */
  openScratchChannel(algorithm: KeyAlgorithm): VaultChannel;
  /** @throws Fault CONFIG_INVALID as above, and for a transport set that is not derived by the EID-KDF */
  checkValues(keys: KeySet): CheckValues;
  /** r || s over SHA-256 of the message. @throws Fault CONFIG_INVALID for an unknown key */
  sign(key: string, message: Bytes): Bytes;
  publicKey(key: string): Bytes;
}

/** The keys of one SCP03 channel. */
export interface VaultChannel {
  /**
   * Derives S-ENC, S-MAC and S-RMAC, after which Key-ENC and Key-MAC are gone.
   */
  derive(source: SessionSource): SessionDerivation;
  /** Three keys wrapped under this channel's Key-DEK: of a set by its name, or of a scratch channel that derived nothing yet.
   * @throws RangeError for the keys of any other channel, or before the channel has derived its own */
  wrapKeys(keys: KeySet | VaultChannel): readonly [enc: WrappedKey, mac: WrappedKey, dek: WrappedKey];
  /** Destroys every key of the channel. */
  close(): void;
}

/** What host and card said to each other before they have a key. */
export interface SessionSource {
  /** Host challenge || card challenge: 16 bytes in S8 mode, 32 in S16. */
  readonly context: Bytes;
  /** What the pseudo-random card challenge is the CMAC of under Key-ENC; null where the card draws its challenge. */
  readonly challengeMessage: Bytes | null;
  /** Key diversification data of the card, 10 bytes: where a vendor's scheme begins. Unauthenticated: a wrong one
   * leads to keys that the card does not have. */
  readonly diversificationData: Bytes;
}

export interface SessionDerivation {
  readonly keys: ChannelKeys;
  /** CMAC of the challenge message, 16 bytes. */
  readonly challenge: Bytes | null;
}
