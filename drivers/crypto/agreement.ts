/** Private keys of P-256 that only agree on secrets. Those that are drawn live in memory for one message or one dialogue. */
import { createECDH } from 'node:crypto';
import { type Bytes, fromHex } from '../../runtime/core/bytes.ts';
import type { AgreementKey, Entropy } from '../../runtime/core/ports.ts';

/** Order of the group, and the length of a scalar. SEC 2 section 2.4.2. */
const ORDER = fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const SCALAR_BYTES = 32;
const ZERO = new Uint8Array(SCALAR_BYTES);

/** First byte and length of an uncompressed point. SEC 1 section 2.3.3. */
const UNCOMPRESSED = 0x04;
const POINT_BYTES = 65;

/** One draw fails once in 2^32: that this many do says that the entropy is none. */
const DRAWS_MAX = 8;

export function drawAgreementKey(entropy: Entropy): AgreementKey {
  return agreementKeyOf(drawScalar(entropy));
}

/** @param scalar 32 bytes, which are wiped */
export function agreementKeyOf(scalar: Bytes): AgreementKey {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(scalar);
  scalar.fill(0); // OpenSSL has its own copy, which it clears itself.
  return {
    publicKey: curve.getPublicKey(),
    agree: (point) => {
      if (point.length !== POINT_BYTES || point[0] !== UNCOMPRESSED) return null;
      try {
        return curve.computeSecret(point);
      } catch {
        return null; // Not a point of the curve: nothing is agreed.
      }
    },
  };
}

/** By testing candidates. FIPS 186-5 section A.2.2. */
function drawScalar(entropy: Entropy): Bytes {
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    const scalar = entropy.bytes(SCALAR_BYTES);
    if (Buffer.compare(scalar, ZERO) > 0 && Buffer.compare(scalar, ORDER) < 0) return scalar;
  }
  throw new RangeError('no scalar in any draw');
}
