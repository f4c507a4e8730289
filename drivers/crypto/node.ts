/** The crypto port over node:crypto. Every call is synchronous: the same in simulation and on the line. */
import { createCipheriv, createDecipheriv, createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import type { Bytes } from '../../runtime/core/bytes.ts';
import type { Crypto } from '../../runtime/core/ports.ts';
import { drawAgreementKey } from './agreement.ts';

/** SubjectPublicKeyInfo of a P-256 key up to its point. RFC 5480 section 2. */
const P256_SPKI_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
/** SubjectPublicKeyInfo of a P-384 key up to its point. RFC 5480 section 2. */
const P384_SPKI_PREFIX = Buffer.from('3076301006072a8648ce3d020106052b81040022036200', 'hex');
/** SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes. RFC 8410 section 4. */
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Authentication tag of AES-GCM in bytes. SP 800-38D section 5.2.1.2. */
const GCM_TAG_BYTES = 16;

/** Keys parsed before are kept, up to this many: parsing costs as much as verifying. */
const KEYS_MAX = 512;
const keys = new Map<string, KeyObject>();

export const nodeCrypto: Crypto = {
  sha256: (data) => hash('sha256', data, 'buffer'),
  drawAgreementKey,
  aesGcmEncrypt: ({ key, iv, associated }, plaintext) => {
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(associated);
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  },
  aesGcmDecrypt: ({ key, iv, associated }, sealed) => {
    const at = sealed.length - GCM_TAG_BYTES;
    if (at < 0) return null;
    const options = { authTagLength: GCM_TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', key, iv, options).setAAD(associated);
    decipher.setAuthTag(sealed.subarray(at));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, at)), decipher.final()]);
    } catch {
      return null; // The tag does not verify: there is no plaintext.
    }
  },
  aesEncryptBlock: (key, block) => {
    const cipher = createCipheriv(key.length === 32 ? 'aes-256-ecb' : 'aes-128-ecb', key, null);
    cipher.setAutoPadding(false);
    return Buffer.concat([cipher.update(block), cipher.final()]);
  },
  verifyP256: (publicKey, message, signature) => {
    if (publicKey.length !== 65 || signature.length !== 64) return false;
    const key = publicKeyOf(P256_SPKI_PREFIX, publicKey);
    return key !== null && verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
  },
  verifyP384: (publicKey, message, signature) => {
    if (publicKey.length !== 97 || signature.length !== 96) return false;
    const key = publicKeyOf(P384_SPKI_PREFIX, publicKey);
    return key !== null && verify('sha384', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
  },
  verifyEd25519: (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    const key = publicKeyOf(ED25519_SPKI_PREFIX, publicKey);
    return key !== null && verify(null, message, key, signature);
  },
};

/** SubjectPublicKeyInfo, DER, of a 65-byte uncompressed P-256 point. */
export function p256Spki(point: Bytes): Buffer {
  return Buffer.concat([P256_SPKI_PREFIX, point]);
}

/** A key from its bytes; null when they are no key (a point that is not on the curve). */
function publicKeyOf(prefix: Buffer, bytes: Bytes): KeyObject | null {
  const name = Buffer.from(bytes).toString('latin1');
  const known = keys.get(name);
  if (known !== undefined) return known;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.concat([prefix, bytes]), format: 'der', type: 'spki' });
  } catch {
    return null; // Not a key: whatever it should verify does not verify.
  }
  if (keys.size >= KEYS_MAX) keys.clear();
  keys.set(name, key);
  return key;
}
