/**
 * A token as a ceremony uses it. Keys are made inside, or come in wrapped or from components; nothing of this port
 * gives one out but wrapped. Components are named by where they are entered and never pass through the caller.
 */
import type { Bytes } from '../bytes.ts';
import type { Attributes } from '../key-attributes.ts';
import type { KeyRule } from '../key-policy.ts';
import type { TokenDescription } from '../token.ts';
import type { Cargo, Recipient } from './carriage.ts';

/** One component and where it is read from: a file of mode 0600, or the terminal, where it is not shown. */
export interface ComponentSource {
  readonly custodian: string;
  /** First 3 bytes of a block of zeros under the component, hexadecimal. */
  readonly checkValue: string;
  /** Null: entered at the terminal. */
  readonly file: string | null;
}

/** What the token says of a key, read back. */
export interface ReadKey {
  /** One object for a secret key, two for a pair. */
  readonly objects: readonly { readonly kind: KeyRule['kind']; readonly attributes: Attributes }[];
  /** Computed by the token: first 3 bytes of a block of zeros under the key; of its CMAC for a key that only
   * signs. Null for a pair. */
  readonly checkValue: string | null;
  /** SubjectPublicKeyInfo, DER, base64; null for a secret key. */
  readonly publicKey: string | null;
}

/** A key pair in its backup. */
export interface WrappedPair {
  readonly wrapped: Bytes;
  /** SubjectPublicKeyInfo, DER, base64. */
  readonly publicKey: string;
}

export type Unwrapping =
  | { readonly method: 'aes-kwp'; readonly components: readonly ComponentSource[] }
  /** RSA-OAEP with SHA-1, the one that every token has. `key`: label of the key pair in the token. */
  | { readonly method: 'rsa-oaep'; readonly key: string };

export interface CeremonyToken {
  describe(): Promise<TokenDescription>;
  /** Null where the token has no such key. @throws Fault KEY_POLICY_BROKEN when it does not tell */
  readKey(label: string): Promise<ReadKey | null>;
  /** A secret key or a pair, made inside. @throws Fault HSM_FAILED */
  generate(label: string): Promise<void>;
  /** A new AES-256 key wrapped by AES-KWP (RFC 5649) under the components' key; the key itself is gone again.
   * @throws Fault CEREMONY_COMPONENT_WRONG */
  wrapNewborn(under: readonly ComponentSource[]): Promise<Bytes>;
  /** A new pair for this name, its private key wrapped by AES-KWP as PKCS#8; the pair itself is gone again.
   * @throws Fault CEREMONY_COMPONENT_WRONG */
  wrapNewbornPair(label: string, under: readonly ComponentSource[]): Promise<WrappedPair>;
  /** The pair of this name, if private and public key belong together; what of it stands already stays.
   * @throws Fault CEREMONY_COMPONENT_WRONG, CEREMONY_KEY_DIFFERS, HSM_FAILED: nothing was kept */
  unwrapPair(label: string, pair: WrappedPair, under: readonly ComponentSource[]): Promise<void>;
  /** The exclusive or of the components becomes the key, if its check value is as expected; null: whatever it is.
   * @throws Fault CEREMONY_COMPONENT_WRONG, CEREMONY_KEY_DIFFERS: nothing was kept */
  join(label: string, components: readonly ComponentSource[], checkValue: string | null): Promise<void>;
  /** The same for a wrapped key. @throws Fault as above; HSM_FAILED for what does not unwrap */
  unwrap(label: string, wrapped: Bytes, under: Unwrapping, checkValue: string | null): Promise<void>;
  /** Computes what the constants file lacks, and seals it anew; every entry of the file is checked.
   * @throws Fault KEY_POLICY_BROKEN, CONFIG_INVALID */
  writeConstants(
    file: string,
    keyVersions: Readonly<Record<string, readonly number[]>>,
  ): Promise<ConstantsWritten>;
  /** Draws a gate controller's key into a file of mode 0600, 16 bytes hexadecimal, unless it is there.
   * @throws Fault FILE_UNREADABLE */
  writeTagKey(file: string): Promise<{ readonly checkValue: string }>;
  /** Draws one and answers it encrypted to each recipient, in their order; in clear it leaves no process.
   * @throws Fault ENVELOPE_INVALID for a recipient whose key is none */
  carryTagKey(
    cargo: Cargo,
    recipients: readonly Recipient[],
  ): Promise<{ readonly checkValue: string; readonly keys: readonly string[] }>;
  /** @throws Fault KEY_POLICY_BROKEN naming key and attribute */
  audit(): Promise<void>;
  close(): Promise<void>;
}

export interface ConstantsWritten {
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  readonly entries: readonly {
    readonly master: string;
    readonly keyVersion: number;
    /** Of K-ENC, K-MAC and K-DEK of the test EID. */
    readonly checkValues: readonly string[];
  }[];
}
