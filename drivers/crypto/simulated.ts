/**
 * The crypto port for long simulations: signatures and agreements that cost little and hold all the same, since
 * nobody in a simulation reckons against them. Hashes and ciphers are the real ones.
 *
 * A signature of a key that this cryptography knows is a keyed hash; of any other key it is judged as by node:crypto.
 */
import { createHash, createHmac } from 'node:crypto';
import { type Bytes, equal } from '../../runtime/core/bytes.ts';
import type { AgreementKey, Crypto, Entropy, Signer } from '../../runtime/core/ports.ts';
import { publicKeyOf } from './ecdsa.ts';
import { nodeCrypto } from './node.ts';

export interface SimulatedCrypto extends Crypto {
  /** Makes signatures of `privateKey` (a scalar of 32 bytes) verify here from now on. */
  sign(privateKey: Bytes, message: Bytes): Bytes;
  signer(privateKey: Bytes): Signer;
}

/** A prime small enough for quick powers: 2^61 - 1. The group is no group that anything real may use. */
const PRIME = 2n ** 61n - 1n;
const GENERATOR = 37n;
/** An uncompressed point has this many bytes; here all but the first and the last eight are zero. */
const POINT_BYTES = 65;
const ELEMENT_AT = POINT_BYTES - 8;
const UNCOMPRESSED = 0x04;

export function createSimulatedCrypto(): SimulatedCrypto {
  /** Private keys by their public ones. */
  const known = new Map<string, Bytes>();
  const points = new Map<string, Bytes>();
  const pointOf = (privateKey: Bytes): Bytes => {
    const name = latin1(privateKey);
    const present = points.get(name);
    if (present !== undefined) return present;
    const point = publicKeyOf(privateKey);
    points.set(name, point);
    known.set(latin1(point), privateKey);
    return point;
  };
  const sign = (privateKey: Bytes, message: Bytes): Bytes => {
    pointOf(privateKey);
    return signature(privateKey, message);
  };
  return {
    ...nodeCrypto,
    drawAgreementKey,
    verifyP384: nodeCrypto.verifyP384,
    verifyP256: (publicKey, message, signed) => {
      const privateKey = known.get(latin1(publicKey));
      return privateKey === undefined
        ? nodeCrypto.verifyP256(publicKey, message, signed)
        : equal(signature(privateKey, message), signed);
    },
    sign,
    signer: (privateKey) => ({
      publicKey: pointOf(privateKey),
      sign: async (message) => sign(privateKey, message),
    }),
  };
}

function signature(privateKey: Bytes, message: Bytes): Bytes {
  return createHmac('sha512', privateKey).update(message).digest();
}

function drawAgreementKey(entropy: Entropy): AgreementKey {
  const secret = Buffer.from(entropy.bytes(8)).readBigUInt64BE() % (PRIME - 1n);
  return {
    publicKey: encoded(power(GENERATOR, secret)),
    agree: (point) => {
      const element = decoded(point);
      return element === null
        ? null
        : createHash('sha256')
            .update(encoded(power(element, secret)))
            .digest();
    },
  };
}

function encoded(element: bigint): Bytes {
  const point = Buffer.alloc(POINT_BYTES);
  point[0] = UNCOMPRESSED;
  point.writeBigUInt64BE(element, ELEMENT_AT);
  return point;
}

/** Null for what is no element of this group, as for a point that is not on a curve. */
function decoded(point: Bytes): bigint | null {
  if (point.length !== POINT_BYTES || point[0] !== UNCOMPRESSED) return null;
  if (point.subarray(1, ELEMENT_AT).some((byte) => byte !== 0)) return null;
  const element = Buffer.from(point).readBigUInt64BE(ELEMENT_AT);
  return element > 0n && element < PRIME ? element : null;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [square, left] = [base, exponent]; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % PRIME;
    square = (square * square) % PRIME;
  }
  return result;
}

function latin1(bytes: Bytes): string {
  return Buffer.from(bytes).toString('latin1');
}
