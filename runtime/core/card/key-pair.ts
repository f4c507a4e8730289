/** How a unit gets its key pair and certificate, whatever the shape of its applet: the profile is data, a codec per shape. */
import type { Bytes } from '../bytes.ts';
import type { Command } from './apdu.ts';
import { type PivKeyPair, pivCodec } from './piv.ts';
import { type Se05xKeyPair, se05xCodec } from './se05x.ts';

/** For chips without an applet: key set alone, and the record says why there is no certificate. */
export interface NoKeyPair {
  readonly kind: 'none';
  readonly reason: string;
}

export type KeyPairProfile = PivKeyPair | Se05xKeyPair | NoKeyPair;

/** The commands of one shape of applet, and what their answers say. */
export interface KeyPairCodec {
  /** AID. */
  readonly applet: Bytes;
  /** Makes a pair in the place of the one before; the last command answers with the public key. */
  readonly generate: readonly Command[];
  /** 65-byte point. @throws Fault CARD_ANSWER_MALFORMED */
  publicKeyIn(answer: Bytes): Bytes;
  /** Signs a 32-byte digest. */
  sign(digest: Bytes): Command;
  /** DER, ECDSA-Sig-Value. @throws Fault CARD_ANSWER_MALFORMED */
  signatureIn(answer: Bytes): Bytes;
  store(certificate: Bytes): CertificateStorage;
}

/** In the order of playing. */
export interface CertificateStorage {
  /** Makes room; a chip with nothing in the way refuses it. */
  readonly clear: readonly Command[];
  readonly write: readonly Command[];
  readonly read: readonly Command[];
  /** DER, from the answers to `read`. @throws Fault CARD_ANSWER_MALFORMED */
  certificateIn(answers: readonly Bytes[]): Bytes;
}

/** Null where the profile has no key pair. @param bytesMax plain data of one protected command */
export function keyPairCodec(keyPair: KeyPairProfile, bytesMax: number): KeyPairCodec | null {
  switch (keyPair.kind) {
    case 'piv':
      return pivCodec(keyPair, bytesMax);
    case 'se05x':
      return se05xCodec(keyPair, bytesMax);
    case 'none':
      return null;
  }
}
