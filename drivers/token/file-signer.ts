/**
 * Signing keys in files: for the backend, for laboratories, and for simulation. A key file is PKCS#8 PEM that
 * nobody but its owner may read.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { Fault, isFault } from '../../runtime/core/faults.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { publicKeyOf, signMessage } from '../crypto/ecdsa.ts';

/** Modes of a key file: its owner may read it, and write it or not. */
const MODES: readonly number[] = [0o600, 0o400];

/** A P-256 key file. @throws Fault FILE_UNREADABLE */
export async function openFileSigner(path: string): Promise<Signer> {
  return openCurveSigner(path, ['prime256v1']);
}

/** The key file of an authority, P-256 or P-384: its point has 65 or 97 bytes, its signatures 64 or 96, over
 * SHA-256 or SHA-384. @throws Fault FILE_UNREADABLE */
export async function openAuthorityFileSigner(path: string): Promise<Signer> {
  return openCurveSigner(path, ['prime256v1', 'secp384r1']);
}

async function openCurveSigner(path: string, curves: readonly (keyof typeof HASH_OF)[]): Promise<Signer> {
  const key = await readKey(path, 'ec');
  const { x, y } = createPublicKey(key).export({ format: 'jwk' });
  const publicKey = Buffer.concat([
    Buffer.of(0x04),
    Buffer.from(x ?? '', 'base64url'),
    Buffer.from(y ?? '', 'base64url'),
  ]);
  const curve = curves.find((name) => name === key.asymmetricKeyDetails?.namedCurve);
  if (curve === undefined)
    throw new Fault('FILE_UNREADABLE', { path, reason: `not a key on ${curves.join(' or ')}` });
  return {
    publicKey,
    sign: async (message) => sign(HASH_OF[curve], message, { key, dsaEncoding: 'ieee-p1363' }),
  };
}

/** The private scalar of a P-256 key file, 32 bytes, which the caller wipes. @throws Fault FILE_UNREADABLE */
export async function readP256Scalar(path: string): Promise<Bytes> {
  const key = await readKey(path, 'ec');
  const { d, crv } = key.export({ format: 'jwk' });
  if (crv !== 'P-256') throw new Fault('FILE_UNREADABLE', { path, reason: 'not a key on P-256' });
  return Buffer.from(d ?? '', 'base64url');
}

const HASH_OF = { prime256v1: 'sha256', secp384r1: 'sha384' } as const;

/** A key that signs at once: checkpoints of the log. */
export interface Ed25519Signer {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** RFC 8032: 64 bytes. */
  sign(message: Bytes): Bytes;
}

/** An Ed25519 key file. @throws Fault FILE_UNREADABLE */
export async function openEd25519FileSigner(path: string): Promise<Ed25519Signer> {
  const key = await readKey(path, 'ed25519');
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return { publicKey: Buffer.from(x ?? '', 'base64url'), sign: (message) => sign(null, message, key) };
}

/** Deterministic, for simulation. @param privateKey scalar of 32 bytes */
export function createSoftwareSigner(privateKey: Bytes): Signer {
  return {
    publicKey: publicKeyOf(privateKey),
    sign: async (message) => signMessage(privateKey, message),
  };
}

async function readKey(path: string, type: 'ec' | 'ed25519'): Promise<KeyObject> {
  try {
    const { mode } = await stat(path);
    if (!MODES.includes(mode & 0o777))
      throw new Fault('FILE_UNREADABLE', { path, reason: 'others may read it: mode must be 0600' });
    const key = createPrivateKey(await readFile(path));
    if (key.asymmetricKeyType !== type)
      throw new Fault('FILE_UNREADABLE', { path, reason: `not a key of type ${type}` });
    return key;
  } catch (error) {
    if (isFault(error)) throw error;
    throw new Fault('FILE_UNREADABLE', { path }, { cause: error });
  }
}
