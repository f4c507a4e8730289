/**
 * Certificates as DER: put together from a TBSCertificate and a signature, and read for what is checked.
 *
 * Limits: device keys on P-256, signatures of issuers on P-256 or P-384; the parser accepts exactly DER.
 *
 * @see RFC 5280 section 4.1
 */
import { type Bytes, concat, equal, toHex, toText } from '../bytes.ts';
import { algorithmIn, algorithmOfSignature, type CaAlgorithm, caAlgorithms } from './algorithm.ts';
import {
  bitString,
  contentOf,
  contextTag,
  members,
  type Node,
  read,
  readBitString,
  readInteger,
  readOid,
  readText,
  sequence,
  Tag,
} from './der.ts';
import {
  AUTHORITY_KEY_IDENTIFIER,
  COMMON_NAME,
  DISTRIBUTION_POINTS,
  HARDWARE_MODULE_NAME,
  KEY_USAGE,
  ORGANIZATION,
  P256_SPKI_PREFIX,
  POINT_BYTES,
  SERIAL_NUMBER,
  SUBJECT_ALT_NAME,
} from './identifiers.ts';
import type { MakerIdentifiers, Manufacturing } from './profile.ts';
import { signatureFromDer, signatureToDer } from './signature.ts';
import { readTime } from './time.ts';

/** The certificate. @param signature of the issuer: r || s, 64 bytes over SHA-256 of `tbs` or 96 over SHA-384 */
export function assembleCertificate(tbs: Bytes, signature: Bytes): Bytes {
  const { identifier } = caAlgorithms[algorithmOfSignature(signature)];
  return sequence(tbs, identifier, bitString(signatureToDer(signature)));
}

export interface ParsedTbs {
  readonly serial: Bytes;
  /** DER Names. */
  readonly issuerName: Bytes;
  readonly subjectName: Bytes;
  /** X.520 serialNumber of the subject. */
  readonly subjectSerialNumber: string | null;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** 65-byte uncompressed point. */
  readonly publicKey: Bytes;
  readonly authorityKeyIdentifier: Bytes | null;
  /** DER BIT STRING. */
  readonly keyUsage: Bytes | null;
  readonly hardwareModule: { readonly type: string; readonly serial: Bytes } | null;
  readonly manufacturing: Manufacturing | null;
  /** Of the issuer's signature. */
  readonly algorithm: CaAlgorithm;
  /** The URL of the issuer's CRL. */
  readonly distributionPoint: string | null;
  /** In their order. */
  readonly extensions: readonly { readonly oid: string; readonly critical: boolean }[];
}

export interface ParsedCertificate extends ParsedTbs {
  readonly tbs: Bytes;
  /** r || s, 64 or 96 bytes. */
  readonly signature: Bytes;
}

/** @throws RangeError when the bytes are not a certificate of ours */
export function parseCertificate(bytes: Bytes, identifiers: MakerIdentifiers): ParsedCertificate {
  const [tbs, algorithm, signature, ...more] = members(read(bytes), Tag.sequence);
  if (tbs === undefined || more.length > 0) throw new RangeError('not a certificate');
  const parsed = parseTbs(tbs.whole, identifiers);
  if (algorithmIn(algorithm) !== parsed.algorithm) throw new RangeError('two signature algorithms');
  const { scalarBytes } = caAlgorithms[parsed.algorithm];
  return { ...parsed, tbs: tbs.whole, signature: signatureFromDer(readBitString(signature), scalarBytes) };
}

/** @throws RangeError when the bytes are not a TBSCertificate of ours */
export function parseTbs(bytes: Bytes, { manufacturing }: MakerIdentifiers): ParsedTbs {
  const [version, serial, algorithm, issuer, validity, subject, spki, wrapped, ...more] = members(
    read(bytes),
    Tag.sequence,
  );
  if (issuer === undefined || subject === undefined || spki === undefined || more.length > 0)
    throw new RangeError('not a TBSCertificate');
  if (toHex(contentOf(version, contextTag(0, true))) !== '020102') throw new RangeError('not version 3');
  const [notBefore, notAfter] = members(validity, Tag.sequence);
  const extensions = readExtensions(wrapped);
  const value = (name: string): Node | null => extensions.find(({ oid }) => oid === name)?.value ?? null;
  const [keyId, alternative, made] = [AUTHORITY_KEY_IDENTIFIER, SUBJECT_ALT_NAME, manufacturing].map(value);
  const points = value(DISTRIBUTION_POINTS);
  return {
    serial: readInteger(serial),
    algorithm: algorithmIn(algorithm),
    distributionPoint: points === null ? null : readDistributionPoint(points),
    issuerName: issuer.whole,
    subjectName: subject.whole,
    subjectSerialNumber: readSubjectSerial(subject),
    notBeforeMs: readTime(notBefore),
    notAfterMs: readTime(notAfter),
    publicKey: readPublicKey(spki.whole),
    authorityKeyIdentifier: keyId == null ? null : readKeyIdentifier(keyId),
    keyUsage: value(KEY_USAGE)?.whole ?? null,
    hardwareModule: alternative == null ? null : readHardwareModule(alternative),
    manufacturing: made == null ? null : readManufacturing(made),
    extensions: extensions.map(({ oid, critical }) => ({ oid, critical })),
  };
}

/** The 65-byte point of a SubjectPublicKeyInfo. @throws RangeError when it is not a P-256 key */
export function readPublicKey(spki: Bytes): Bytes {
  const point = spki.subarray(P256_SPKI_PREFIX.length);
  if (point.length !== POINT_BYTES || !equal(spki, concat(P256_SPKI_PREFIX, point)) || point[0] !== 0x04)
    throw new RangeError('not an uncompressed P-256 key');
  return point;
}

/** X.520 serialNumber in a Name that has it as its last attribute, after O and CN at most; null in any other. */
export function readSubjectSerial(name: Node): string | null {
  const attributes = members(name, Tag.sequence).map((one) => {
    const [type, text, ...more] = members(members(one, Tag.set)[0], Tag.sequence);
    return more.length > 0 ? null : ([readOid(type), readText(text)] as const);
  });
  const last = attributes.at(-1);
  if (last?.[0] !== SERIAL_NUMBER) return null;
  const others = attributes.slice(0, -1).map((one) => one?.[0]);
  return others.every((type) => type === ORGANIZATION || type === COMMON_NAME) ? last[1] : null;
}

export interface ReadExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Node;
}

/** The extensions of a TBSCertificate from their [3]. @throws RangeError when one stands there twice */
export function readExtensions(wrapped: Node | undefined): readonly ReadExtension[] {
  const [list, ...more] = members(wrapped, contextTag(3, true));
  const found = members(list, Tag.sequence).map(readExtension);
  if (more.length > 0 || new Set(found.map(({ oid }) => oid)).size < found.length)
    throw new RangeError('an extension twice');
  return found;
}

export function readExtension(node: Node): ReadExtension {
  const parts = members(node, Tag.sequence);
  const critical = parts.length === 3;
  if (!critical && parts.length !== 2) throw new RangeError('not an extension');
  if (critical && toHex(contentOf(parts[1], Tag.boolean)) !== 'ff') throw new RangeError('not DER: BOOLEAN');
  return { oid: readOid(parts[0]), critical, value: read(contentOf(parts.at(-1), Tag.octetString)) };
}

/** Only the keyIdentifier form. RFC 5280 section 4.2.1.1. */
export function readKeyIdentifier(value: Node): Bytes {
  const [identifier, ...more] = members(value, Tag.sequence);
  if (more.length > 0) throw new RangeError('AKI with issuer');
  return contentOf(identifier, contextTag(0, false));
}

/** Only one point with one URI. RFC 5280 section 4.2.1.13. */
export function readDistributionPoint(value: Node): string {
  const [point, ...more] = members(value, Tag.sequence);
  const [name, ...others] = members(point, Tag.sequence);
  const [url, ...names] = members(members(name, contextTag(0, true))[0], contextTag(0, true));
  if (more.length + others.length + names.length > 0)
    throw new RangeError('more than one distribution point');
  return toText(contentOf(url, contextTag(6, false)));
}

function readHardwareModule(value: Node): ParsedTbs['hardwareModule'] {
  const [name, ...more] = members(value, Tag.sequence);
  const [type, content] = members(name, contextTag(0, true));
  if (more.length > 0 || readOid(type) !== HARDWARE_MODULE_NAME) return null;
  const [hardwareType, serial] = members(members(content, contextTag(0, true))[0], Tag.sequence);
  return { type: readOid(hardwareType), serial: contentOf(serial, Tag.octetString) };
}

function readManufacturing(value: Node): Manufacturing {
  const [batch, made, ...scoped] = members(value, Tag.sequence);
  const [product, region] = [0, 1].map((number) => {
    const found = scoped.find(({ tag }) => tag === contextTag(number, false));
    return found === undefined ? {} : { [number === 0 ? 'product' : 'region']: toText(found.content) };
  });
  return { batch: readText(batch), manufacturedAtMs: readTime(made), ...product, ...region };
}
