/** Key files of the laboratory: made once, mode 0600, found again at the next run. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const PRIVATE = 0o600;

/** A P-256 key file, PEM. */
export function p256KeyFile(path: string): string {
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: PRIVATE });
  }
  return path;
}

/** An Ed25519 key file, PEM; answers the public key, 32 bytes hexadecimal. */
export function ed25519KeyFile(path: string): string {
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: PRIVATE });
  }
  const { x } = createPublicKey(createPrivateKey(readFileSync(path))).export({ format: 'jwk' });
  return Buffer.from(x ?? '', 'base64url').toString('hex');
}

/** A file with random bytes in hexadecimal; answers them. */
export function secretFile(path: string, bytes: number): Buffer {
  if (!existsSync(path)) writeFileSync(path, randomBytes(bytes).toString('hex'), { mode: PRIVATE });
  return Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
}
