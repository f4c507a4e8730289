/**
 * Deterministic ECDSA on P-256 with SHA-256, for simulated keys: the same seed gives the same bytes.
 * Real keys sign inside their token.
 *
 * @see RFC 6979 section 3.2
 */
import { createECDH, createHash, createHmac } from 'node:crypto';
import type { Bytes } from '../../runtime/core/bytes.ts';

/** Order of the group. SEC 2 section 2.4.2. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** A private scalar, 32 bytes, from 40 random ones. FIPS 186-4 section B.4.1. */
export function privateKeyFrom(random: Bytes): Buffer {
  return toBytes((toInteger(random) % (N - 1n)) + 1n);
}

/** The 65-byte uncompressed point of a private scalar. */
export function publicKeyOf(privateKey: Bytes): Buffer {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(privateKey);
  return curve.getPublicKey();
}

/** Signs SHA-256 of `message`: r || s, 64 bytes. */
export function signMessage(privateKey: Bytes, message: Bytes): Buffer {
  return signDigest(privateKey, createHash('sha256').update(message).digest());
}

/** Signs a 32-byte digest: r || s, 64 bytes. */
export function signDigest(privateKey: Bytes, digest: Bytes): Buffer {
  const d = toInteger(privateKey);
  const z = toInteger(digest);
  for (const nonce of nonces(privateKey, digest)) {
    const k = toInteger(nonce);
    const r = toInteger(publicKeyOf(nonce).subarray(1, 33)) % N;
    const s = (inverse(k) * ((z + r * d) % N)) % N;
    if (r !== 0n && s !== 0n) return Buffer.concat([toBytes(r), toBytes(s)]);
  }
  throw new RangeError('no nonce signs'); // `nonces` never ends.
}

/** Candidates for k, in the order of RFC 6979 section 3.2 (h). */
function* nonces(privateKey: Bytes, digest: Bytes): Generator<Buffer> {
  const seed = Buffer.concat([privateKey, toBytes(toInteger(digest) % N)]);
  let v = Buffer.alloc(32, 1);
  let key = Buffer.alloc(32, 0);
  for (const separator of [0, 1]) {
    key = mac(key, v, Buffer.of(separator), seed);
    v = mac(key, v);
  }
  for (;;) {
    v = mac(key, v);
    const k = toInteger(v);
    if (k > 0n && k < N) yield v;
    key = mac(key, v, Buffer.of(0));
    v = mac(key, v);
  }
}

function mac(key: Bytes, ...parts: readonly Bytes[]): Buffer<ArrayBuffer> {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return Buffer.from(hmac.digest());
}

/** By the extended Euclidean algorithm. */
function inverse(value: bigint): bigint {
  let [r, next, t, nextT] = [N, value % N, 0n, 1n];
  while (next !== 0n) {
    const q = r / next;
    [r, next, t, nextT] = [next, r - q * next, nextT, t - q * nextT];
  }
  return t < 0n ? t + N : t;
}

function toInteger(bytes: Bytes): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
}

function toBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}
