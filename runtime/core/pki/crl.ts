/**
 * Certificate revocation lists, version 2, complete: one per issuer, without partitions and deltas. The builder is
 * linear: entries are written into one piece of memory.
 *
 * @see RFC 5280 section 5
 */
import { type Bytes, bigEndian, fromHex, toHex, toNumber } from '../bytes.ts';
import { algorithmIn, algorithmOfSignature, type CaAlgorithm, caAlgorithms } from './algorithm.ts';
import { readExtension, readKeyIdentifier } from './certificate.ts';
import {
  bitString,
  contentOf,
  contextTag,
  der,
  integer,
  members,
  type Node,
  octetString,
  oid,
  read,
  readBitString,
  readInteger,
  sequence,
  Tag,
} from './der.ts';
import { AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, REASON_CODE } from './identifiers.ts';
import type { Issuer } from './profile.ts';
import { signatureFromDer, signatureToDer } from './signature.ts';
import { readTime, timeOf } from './time.ts';

/** CRLReason, RFC 5280 section 5.3.1. certificateHold is left out: nothing here is ever taken back. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;
export type RevocationReason = keyof typeof revocationReasons;
export const reasonNames = Object.keys(revocationReasons) as [RevocationReason, ...RevocationReason[]];

export interface CrlEntry {
  /** As in the certificate, without a leading 00. */
  readonly serial: Bytes;
  /** Milliseconds since 1970, whole seconds. */
  readonly revokedAtMs: number;
  readonly reason: RevocationReason;
}

export interface CrlIntent {
  readonly issuer: Required<Issuer>;
  /** Rises with every CRL of this issuer; stored before it is signed. */
  readonly number: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  readonly entries: readonly CrlEntry[];
}

/** Tag of ENUMERATED. X.680 section 8.6. */
const ENUMERATED = 0x0a;
/** Version 2, whose value is 1. */
const VERSION_2 = fromHex('020101');

/** TBSCertList. */
export function crlToBeSigned({ issuer, number, thisUpdateMs, nextUpdateMs, entries }: CrlIntent): Bytes {
  const extensions = [
    [AUTHORITY_KEY_IDENTIFIER, sequence(der(contextTag(0, false), issuer.keyIdentifier))],
    [CRL_NUMBER, integer(bigEndian(number, 6))],
  ] as const;
  return sequence(
    VERSION_2,
    caAlgorithms[issuer.algorithm].identifier,
    issuer.name,
    timeOf(thisUpdateMs),
    timeOf(nextUpdateMs),
    // An empty list is left out. RFC 5280 section 5.1.2.6.
    ...(entries.length === 0 ? [] : [der(Tag.sequence, encodeEntries(entries))]),
    der(
      contextTag(0, true),
      sequence(...extensions.map(([name, value]) => sequence(oid(name), octetString(value)))),
    ),
  );
}

/** @param signature of the issuer: r || s */
export function assembleCrl(tbs: Bytes, signature: Bytes): Bytes {
  const { identifier } = caAlgorithms[algorithmOfSignature(signature)];
  return sequence(tbs, identifier, bitString(signatureToDer(signature)));
}

/** Bytes that the entries of these certificates take in a CRL: 16-byte serials with a reason take 49 each. */
export function entriesBytes(entries: readonly CrlEntry[]): number {
  return encodeEntries(entries).length;
}

/** Most bytes of one entry: 20 bytes of serial, GeneralizedTime, reason, and their headers. */
const ENTRY_BYTES_MAX = 64;
/** Most bytes of a serial. RFC 5280 section 4.1.2.2. */
const SERIAL_BYTES_MAX = 20;

/** Every length here fits one byte, so entries are written without a piece of memory for each part. */
function encodeEntries(entries: readonly CrlEntry[]): Bytes {
  const room = new Uint8Array(entries.length * ENTRY_BYTES_MAX);
  const times = new Map<number, Bytes>();
  let at = 0;
  for (const { serial, revokedAtMs, reason } of entries) {
    const time = times.get(revokedAtMs) ?? timeOf(revokedAtMs);
    times.set(revokedAtMs, time);
    const extensions = reasonParts[reason] ?? new Uint8Array(0);
    if (serial.length === 0 || serial.length > SERIAL_BYTES_MAX || serial[0] === 0)
      throw new RangeError('not a serial');
    const sign = (serial[0] ?? 0) >= 0x80 ? 1 : 0;
    room[at] = Tag.sequence;
    room[at + 1] = 2 + sign + serial.length + time.length + extensions.length;
    room[at + 2] = Tag.integer;
    room[at + 3] = sign + serial.length;
    room.set(serial, at + 4 + sign);
    room.set(time, at + 4 + sign + serial.length);
    room.set(extensions, at + 4 + sign + serial.length + time.length);
    at += 4 + sign + serial.length + time.length + extensions.length;
  }
  return room.subarray(0, at);
}

/** Extensions of an entry by its reason: `unspecified` is told by their absence. RFC 5280 section 5.3.1. */
const reasonParts: Readonly<Record<string, Bytes>> = Object.fromEntries(
  Object.entries(revocationReasons).map(([name, code]) => [
    name,
    code === 0
      ? new Uint8Array(0)
      : sequence(sequence(oid(REASON_CODE), octetString(Uint8Array.of(ENUMERATED, 1, code)))),
  ]),
);

export interface ParsedCrl {
  /** DER Name. */
  readonly issuerName: Bytes;
  readonly algorithm: CaAlgorithm;
  readonly authorityKeyIdentifier: Bytes | null;
  readonly number: number | null;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** By serial, hexadecimal. */
  readonly entries: ReadonlyMap<string, { readonly revokedAtMs: number; readonly reason: RevocationReason }>;
  /** Critical extensions, of the list or of an entry, that nobody here understands. */
  readonly unknownCritical: readonly string[];
  readonly tbs: Bytes;
  /** r || s. */
  readonly signature: Bytes;
}

/** @throws RangeError when the bytes are not a CRL of version 2 with a nextUpdate */
export function parseCrl(bytes: Bytes): ParsedCrl {
  const [tbs, algorithm, signature, ...more] = members(read(bytes), Tag.sequence);
  if (tbs === undefined || more.length > 0) throw new RangeError('not a CRL');
  const [version, inner, issuer, thisUpdate, nextUpdate, ...rest] = members(tbs, Tag.sequence);
  if (issuer === undefined || toHex(version?.whole ?? VERSION_2) !== toHex(VERSION_2))
    throw new RangeError('not a CRL of version 2');
  const own = algorithmIn(algorithm);
  if (algorithmIn(inner) !== own) throw new RangeError('two signature algorithms');
  const list = rest.find(({ tag }) => tag === Tag.sequence);
  const wrapped = rest.find(({ tag }) => tag === contextTag(0, true));
  if (rest.length !== Number(list !== undefined) + Number(wrapped !== undefined))
    throw new RangeError('more than a CRL has');
  const extensions = extensionsIn(wrapped);
  const value = (name: string): Node | undefined => extensions.find((one) => one.oid === name)?.value;
  const [keyId, number] = [value(AUTHORITY_KEY_IDENTIFIER), value(CRL_NUMBER)];
  const unknown = new Set(extensions.filter(({ critical }) => critical).map((one) => one.oid));
  return {
    issuerName: issuer.whole,
    algorithm: own,
    authorityKeyIdentifier: keyId === undefined ? null : readKeyIdentifier(keyId),
    number: number === undefined ? null : toNumber(readInteger(number)),
    thisUpdateMs: readTime(thisUpdate),
    nextUpdateMs: readTime(nextUpdate),
    entries: new Map(
      (list === undefined ? [] : members(list, Tag.sequence)).map((one) => readEntry(one, unknown)),
    ),
    unknownCritical: [...unknown],
    tbs: tbs.whole,
    signature: signatureFromDer(readBitString(signature), caAlgorithms[own].scalarBytes),
  };
}

function readEntry(
  node: Node,
  unknown: Set<string>,
): readonly [string, { readonly revokedAtMs: number; readonly reason: RevocationReason }] {
  const [serial, at, extensions] = members(node, Tag.sequence);
  let reason: RevocationReason = 'unspecified';
  for (const extension of extensions === undefined
    ? []
    : members(extensions, Tag.sequence).map(readExtension)) {
    if (extension.oid === REASON_CODE) reason = reasonOf(contentOf(extension.value, ENUMERATED)[0]);
    else if (extension.critical) unknown.add(extension.oid);
  }
  return [toHex(readInteger(serial)), { revokedAtMs: readTime(at), reason }];
}

function reasonOf(code: number | undefined): RevocationReason {
  const found = reasonNames.find((name) => revocationReasons[name] === code);
  if (found === undefined) throw new RangeError('a reason that is not read here');
  return found;
}

function extensionsIn(wrapped: Node | undefined) {
  if (wrapped === undefined) return [];
  const [list] = members(wrapped, contextTag(0, true));
  return members(list, Tag.sequence).map(readExtension);
}
