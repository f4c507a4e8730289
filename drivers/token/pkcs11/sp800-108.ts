/**
 * The EID-KDF as one native derivation, for tokens that have CKM_SP800_108_COUNTER_KDF: no constants, and AES-256 keys
 * in one call. The same keys as the portable path, which the test EID's check values show at each start.
 *
 * pkcs11js does not know the parameter, whose parts point to one another: it is laid out in pinned memory.
 *
 * @see PKCS#11 3.0 section 2.43; NIST SP 800-108 section 5.1
 */
import { type Bytes, concat } from '../../../runtime/core/bytes.ts';
import { ck } from './cryptoki.ts';
import type { PinnedMemory } from './pinned-memory.ts';

/** CKM_SP800_108_COUNTER_KDF. PKCS#11 3.0 annex A. */
export const SP800_108_COUNTER_KDF = 0x3ac;

/** CK_PRF_DATA_TYPE. PKCS#11 3.0 section 2.43.2. */
const Field = { iterationVariable: 1, dkmLength: 3, byteArray: 4 } as const;
/** CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS. */
const SUM_OF_KEYS = 1;
/** CK_ULONG and pointers on every platform that we run on. */
const WORD_BYTES = 8;
const COUNTER_BITS = 8;
const LENGTH_BITS = 16;
/** Bytes of a header before the length, which the token writes itself: label, generation, key version, key, separator. */
const LABEL_BYTES = 13;

/**
 * The parameter of one derivation: fixed label, length of the key in bits, counter, context; CMAC as the PRF.
 * @param header of the EID-KDF, its first block: 16 bytes, of which length and counter are the token's to write
 * @param context the EID, 16 bytes
 */
export function counterKdfParameter(pinned: PinnedMemory, header: Bytes, context: Bytes): Buffer {
  const label = header.subarray(0, LABEL_BYTES);
  const counter = words(0, COUNTER_BITS);
  const length = words(SUM_OF_KEYS, 0, LENGTH_BITS);
  const parts = [label, length, counter, context] as const;
  const types = [Field.byteArray, Field.dkmLength, Field.iterationVariable, Field.byteArray] as const;
  return pinned.laidOut((addressAt) => {
    let at = 4 * 3 * WORD_BYTES; // behind four CK_PRF_DATA_PARAM of three words each
    const places = parts.map((part) => {
      const place = at;
      at += Math.ceil(part.length / WORD_BYTES) * WORD_BYTES;
      return place;
    });
    const fields = parts.map((part, i) => words(types[i] ?? 0, addressAt(places[i] ?? 0), part.length));
    const data = concat(...fields, ...parts.map(padded));
    // prfType, ulNumberOfDataParams, pDataParams, and no additional keys.
    return { data, parameter: words(ck.CKM_AES_CMAC, parts.length, addressAt(0), 0, 0) };
  });
}

function words(...values: readonly (number | bigint)[]): Buffer {
  const bytes = Buffer.alloc(values.length * WORD_BYTES);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), i * WORD_BYTES);
  return bytes;
}

function padded(part: Bytes): Bytes {
  return concat(part, new Uint8Array(-part.length & (WORD_BYTES - 1)));
}
