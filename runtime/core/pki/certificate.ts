/**
 * Certificates as DER: put together from a TBSCertificate and a signature, and read for what is checked.
 *
 * Limits: P-256 with ECDSA and SHA-256; the parser accepts exactly DER.
 *
 * @see RFC 5280 section 4.1
 */
import { type Bytes, concat, equal, toHex } from '../bytes.ts';
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
  ECDSA_SHA256,
  HARDWARE_MODULE_NAME,
  KEY_USAGE,
  P256_SPKI_PREFIX,
  POINT_BYTES,
  SERIAL_NUMBER,
  SUBJECT_ALT_NAME,
} from './identifiers.ts';
import type { MakerIdentifiers, Manufacturing } from './profile.ts';
import { signatureFromDer, signatureToDer } from './signature.ts';
import { readTime } from './time.ts';

/** The certificate. @param signature r || s over SHA-256 of `tbs` */
export function assembleCertificate(tbs: Bytes, signature: Bytes): Bytes {
  return sequence(tbs, ECDSA_SHA256, bitString(signatureToDer(signature)));
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
  /** In their order. */
  readonly extensions: readonly { readonly oid: string; readonly critical: boolean }[];
}

export interface ParsedCertificate extends ParsedTbs {
  readonly tbs: Bytes;
  /** r || s, 64 bytes. */
  readonly signature: Bytes;
}

/** @throws RangeError when the bytes are not a certificate of ours */
export function parseCertificate(bytes: Bytes, identifiers: MakerIdentifiers): ParsedCertificate {
  const [tbs, algorithm, signature, ...more] = members(read(bytes), Tag.sequence);
  if (tbs === undefined || more.length > 0) throw new RangeError('not a certificate');
  expect(algorithm, ECDSA_SHA256, 'signature algorithm');
  return {
    ...parseTbs(tbs.whole, identifiers),
    tbs: tbs.whole,
    signature: signatureFromDer(readBitString(signature)),
  };
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
  expect(algorithm, ECDSA_SHA256, 'signature algorithm');
  const [notBefore, notAfter] = members(validity, Tag.sequence);
  const [list] = members(wrapped, contextTag(3, true));
  const extensions = members(list, Tag.sequence).map(readExtension);
  const value = (name: string): Node | null => extensions.find(({ oid }) => oid === name)?.value ?? null;
  const [keyId, alternative, made] = [AUTHORITY_KEY_IDENTIFIER, SUBJECT_ALT_NAME, manufacturing].map(value);
  return {
    serial: readInteger(serial),
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

/** X.520 serialNumber in a Name whose only attribute it is; null in any other Name. */
export function readSubjectSerial(name: Node): string | null {
  const [attributes, ...more] = members(name, Tag.sequence);
  if (attributes === undefined || more.length > 0) return null;
  const [type, text] = members(members(attributes, Tag.set)[0], Tag.sequence);
  return readOid(type) === SERIAL_NUMBER ? readText(text) : null;
}

function readExtension(node: Node): { oid: string; critical: boolean; value: Node } {
  const parts = members(node, Tag.sequence);
  const critical = parts.length === 3;
  if (!critical && parts.length !== 2) throw new RangeError('not an extension');
  if (critical && toHex(contentOf(parts[1], Tag.boolean)) !== 'ff') throw new RangeError('not DER: BOOLEAN');
  return { oid: readOid(parts[0]), critical, value: read(contentOf(parts.at(-1), Tag.octetString)) };
}

/** Only the keyIdentifier form. RFC 5280 section 4.2.1.1. */
function readKeyIdentifier(value: Node): Bytes {
  const [identifier, ...more] = members(value, Tag.sequence);
  if (more.length > 0) throw new RangeError('AKI with issuer');
  return contentOf(identifier, contextTag(0, false));
}

function readHardwareModule(value: Node): ParsedTbs['hardwareModule'] {
  const [name, ...more] = members(value, Tag.sequence);
  const [type, content] = members(name, contextTag(0, true));
  if (more.length > 0 || readOid(type) !== HARDWARE_MODULE_NAME) return null;
  const [hardwareType, serial] = members(members(content, contextTag(0, true))[0], Tag.sequence);
  return { type: readOid(hardwareType), serial: contentOf(serial, Tag.octetString) };
}

function readManufacturing(value: Node): Manufacturing {
  const [batch, made] = members(value, Tag.sequence);
  return { batch: readText(batch), manufacturedAtMs: readTime(made) };
}

function expect(node: Node | undefined, bytes: Bytes, what: string): void {
  if (node === undefined || !equal(node.whole, bytes)) throw new RangeError(`another ${what}`);
}
