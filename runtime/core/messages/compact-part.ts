/** Parts of a compact JWS or JWE as they came: base64url, JSON inside. RFC 7515 section 7.1. */
import { type Bytes, fromBase64, toText } from '../bytes.ts';
import { Fault } from '../faults.ts';

/** @throws Fault ENVELOPE_INVALID */
export function jsonIn(part: string): unknown {
  try {
    return JSON.parse(toText(bytesIn(part)));
  } catch (error) {
    throw new Fault('ENVELOPE_INVALID', { part: 'not JSON' }, { cause: error });
  }
}

/** @throws Fault ENVELOPE_INVALID */
export function bytesIn(part: string): Bytes {
  try {
    return fromBase64(part);
  } catch (error) {
    throw new Fault('ENVELOPE_INVALID', { part: 'not base64url' }, { cause: error });
  }
}

export function invalid(why: string): Fault {
  return new Fault('ENVELOPE_INVALID', { why });
}
