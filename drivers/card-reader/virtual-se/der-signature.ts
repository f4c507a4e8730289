/** A signature as applets give it: DER. */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { tlv } from './tlv.ts';

/** ECDSA-Sig-Value of r || s. RFC 3279 section 2.2.3. */
export function derSignature(signature: Bytes): Buffer {
  return tlv(0x30, derInteger(signature.subarray(0, 32)), derInteger(signature.subarray(32)));
}

function derInteger(bytes: Bytes): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const value = bytes.subarray(start);
  return tlv(0x02, (value[0] ?? 0) & 0x80 ? Buffer.of(0) : Buffer.alloc(0), value);
}
