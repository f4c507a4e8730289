/**
 * Time-stamps of checkpoints by an authority outside, so that a log stays evidence when its own algorithms have aged: a new
 * authority stamps the newest checkpoint with newer ones, which covers everything before it.
 *
 * @see RFC 3161 sections 2.4.1 and 2.4.2; whether the authority signed is judged by whoever trusts it: openssl-ts(1)
 */
import { type Bytes, bigEndian, toText } from '../bytes.ts';
import { instantMs, instantOf } from '../instant.ts';
import {
  contentOf,
  contextTag,
  integer,
  members,
  type Node,
  octetString,
  oid,
  read,
  readInteger,
  readOid,
  sequence,
  Tag,
  TRUE,
} from '../pki/der.ts';

const SHA256 = '2.16.840.1.101.3.4.2.1';
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const NULL = Uint8Array.of(0x05, 0x00);
/** granted, and granted with modifications. RFC 3161 section 2.4.2. */
const GRANTED: readonly number[] = [0, 1];

/** @param imprint SHA-256, 32 bytes @param nonce at most 16 bytes
 * @returns TimeStampReq, DER; asks for the authority's certificate to be sent along */
export function timestampRequest(imprint: Bytes, nonce: Bytes): Bytes {
  const algorithm = sequence(oid(SHA256), NULL);
  return sequence(integer(bigEndian(1, 1)), sequence(algorithm, octetString(imprint)), integer(nonce), TRUE);
}

export interface Timestamp {
  /** What was stamped: SHA-256, 32 bytes. */
  readonly imprint: Bytes;
  /** By the authority's clock, to the second. */
  readonly at: string;
}

/** What a TimeStampResp says; its signature is not looked at. Null for what is no granted answer over SHA-256. */
export function readTimestampAnswer(answer: Bytes): Timestamp | null {
  try {
    const [status, token] = members(read(answer), Tag.sequence);
    const [code] = members(status, Tag.sequence);
    if (!GRANTED.includes(readInteger(code)[0] ?? -1)) return null;
    return stampIn(token);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function stampIn(token: Node | undefined): Timestamp | null {
  const [type, content] = members(token, Tag.sequence);
  if (readOid(type) !== SIGNED_DATA) return null;
  const explicit = contextTag(0, true);
  const [, , encapsulated] = members(read(contentOf(content, explicit)), Tag.sequence);
  const [kind, wrapped] = members(encapsulated, Tag.sequence);
  if (readOid(kind) !== TST_INFO) return null;
  const info = read(contentOf(read(contentOf(wrapped, explicit)), Tag.octetString));
  const [, , imprint, , time] = members(info, Tag.sequence);
  const [algorithm, hash] = members(imprint, Tag.sequence);
  if (readOid(members(algorithm, Tag.sequence)[0]) !== SHA256) return null;
  const at = timeOf(toText(contentOf(time, Tag.generalizedTime)));
  return at === null ? null : { imprint: contentOf(hash, Tag.octetString), at };
}

/** `20261122093015.25Z`. RFC 3161 section 2.4.2, genTime. */
function timeOf(text: string): string | null {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(text);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1);
  return instantOf(instantMs(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`));
}
