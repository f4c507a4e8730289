/**
 * Certificates of authorities, root and intermediates: what is signed, as DER, and how it is read back.
 *
 * @see RFC 5280 sections 4.1 and 4.2.1
 */
import { type Bytes, equal, fromHex, toHex, toNumber } from '../bytes.ts';
import { algorithmIn, type CaAlgorithm, caAlgorithms, readCaKey, spkiOf } from './algorithm.ts';
import {
  type ReadExtension,
  readDistributionPoint,
  readExtensions,
  readKeyIdentifier,
} from './certificate.ts';
import {
  contentOf,
  contextTag,
  der,
  integer,
  members,
  type Node,
  octetString,
  read,
  readBitString,
  readInteger,
  readOid,
  readText,
  sequence,
  Tag,
  TRUE,
} from './der.ts';
import {
  AUTHORITY_KEY_IDENTIFIER,
  AUTHORITY_USAGE,
  BASIC_CONSTRAINTS,
  COMMON_NAME,
  DISTRIBUTION_POINTS,
  KEY_USAGE,
  SUBJECT_KEY_IDENTIFIER,
} from './identifiers.ts';
import type { Issuer, MakerIdentifiers } from './profile.ts';
import { readScope, type Scope, scopeValue } from './scope.ts';
import { signatureFromDer } from './signature.ts';
import { attribute, distributionPoints, encodeExtension } from './tbs.ts';
import { readTime, timeOf } from './time.ts';

/** Version 3. RFC 5280 section 4.1.2.1. */
const VERSION_3 = der(contextTag(0, true), fromHex('020102'));

export interface AuthorityIntent {
  /** 16 bytes, see `serialFrom`. */
  readonly serial: Bytes;
  readonly commonName: string;
  /** Null for a root: it signs itself. */
  readonly issuer: Required<Issuer> | null;
  /** Uncompressed point, P-256 or P-384. */
  readonly publicKey: Bytes;
  /** 20 bytes. */
  readonly keyIdentifier: Bytes;
  /** Milliseconds since 1970, whole seconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** How many CAs may follow below it: 1 for a root, 0 for an intermediate. */
  readonly pathLength: number;
  /** What it may issue for; null for everything. */
  readonly scope: Scope | null;
  /** URL of its issuer's CRL. */
  readonly distributionPoint: string | null;
  readonly identifiers: MakerIdentifiers;
}

/** @throws RangeError when a scope has no identifier */
export function authorityToBeSigned(intent: AuthorityIntent, own: CaAlgorithm): Bytes {
  const subject = sequence(attribute(COMMON_NAME, intent.commonName));
  const { scope, identifiers, distributionPoint } = intent;
  if (scope !== null && identifiers.scope == null) throw new RangeError('a scope needs an identifier');
  const extensions = [
    {
      oid: BASIC_CONSTRAINTS,
      critical: true,
      value: sequence(TRUE, integer(Uint8Array.of(intent.pathLength))),
    },
    { oid: KEY_USAGE, critical: true, value: AUTHORITY_USAGE },
    { oid: SUBJECT_KEY_IDENTIFIER, critical: false, value: octetString(intent.keyIdentifier) },
    {
      oid: AUTHORITY_KEY_IDENTIFIER,
      critical: false,
      value: sequence(der(contextTag(0, false), intent.issuer?.keyIdentifier ?? intent.keyIdentifier)),
    },
    ...(scope === null ? [] : [{ oid: identifiers.scope ?? '', critical: false, value: scopeValue(scope) }]),
    ...(distributionPoint === null
      ? []
      : [{ oid: DISTRIBUTION_POINTS, critical: false, value: distributionPoints(distributionPoint) }]),
  ];
  return sequence(
    VERSION_3,
    integer(intent.serial),
    caAlgorithms[intent.issuer?.algorithm ?? own].identifier,
    intent.issuer?.name ?? subject,
    sequence(timeOf(intent.notBeforeMs), timeOf(intent.notAfterMs)),
    subject,
    spkiOf(intent.publicKey),
    der(contextTag(3, true), sequence(...extensions.map(encodeExtension))),
  );
}

export interface ParsedAuthority {
  readonly serial: Bytes;
  /** DER Names. */
  readonly issuerName: Bytes;
  readonly subjectName: Bytes;
  /** Null where the subject is not one common name. */
  readonly commonName: string | null;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly publicKey: Bytes;
  readonly keyIdentifier: Bytes | null;
  readonly authorityKeyIdentifier: Bytes | null;
  /** Whether it may sign certificates and CRLs: basicConstraints and keyUsage both say so, critically. */
  readonly mayIssue: boolean;
  readonly pathLength: number | null;
  readonly scope: Scope | null;
  readonly distributionPoint: string | null;
  /** Critical extensions that nobody here understands: a certificate with one is refused. */
  readonly unknownCritical: readonly string[];
  /** Of its issuer's signature. */
  readonly algorithm: CaAlgorithm;
  readonly tbs: Bytes;
  /** r || s. */
  readonly signature: Bytes;
  readonly whole: Bytes;
}

/** @throws RangeError when the bytes are not a certificate with a key of a CA's kind */
export function parseAuthority(bytes: Bytes, identifiers: MakerIdentifiers): ParsedAuthority {
  const [tbs, algorithm, signature, ...more] = members(read(bytes), Tag.sequence);
  const [, serial, inner, issuer, validity, subject, spki, wrapped] = members(tbs, Tag.sequence);
  if (
    tbs === undefined ||
    issuer === undefined ||
    subject === undefined ||
    spki === undefined ||
    more.length > 0
  )
    throw new RangeError('not a certificate');
  const own = algorithmIn(algorithm);
  if (algorithmIn(inner) !== own) throw new RangeError('two signature algorithms');
  const [notBefore, notAfter] = members(validity, Tag.sequence);
  const extensions = readExtensions(wrapped);
  const value = (name: string): Node | null => extensions.find(({ oid }) => oid === name)?.value ?? null;
  const [keyId, authorityKeyId] = [value(SUBJECT_KEY_IDENTIFIER), value(AUTHORITY_KEY_IDENTIFIER)];
  const [scope, points] = [
    identifiers.scope == null ? null : value(identifiers.scope),
    value(DISTRIBUTION_POINTS),
  ];
  const constraints = readConstraints(extensions);
  return {
    serial: readInteger(serial),
    issuerName: issuer.whole,
    subjectName: subject.whole,
    commonName: readCommonName(subject),
    notBeforeMs: readTime(notBefore),
    notAfterMs: readTime(notAfter),
    publicKey: readCaKey(spki.whole),
    keyIdentifier: keyId === null ? null : contentOf(keyId, Tag.octetString),
    authorityKeyIdentifier: authorityKeyId === null ? null : readKeyIdentifier(authorityKeyId),
    mayIssue: constraints.isAuthority && hasUsage(extensions),
    pathLength: constraints.pathLength,
    scope: scope === null ? null : readScope(scope),
    distributionPoint: points === null ? null : readDistributionPoint(points),
    unknownCritical: extensions
      .filter(({ oid, critical }) => critical && oid !== BASIC_CONSTRAINTS && oid !== KEY_USAGE)
      .map(({ oid }) => oid),
    algorithm: own,
    tbs: tbs.whole,
    signature: signatureFromDer(readBitString(signature), caAlgorithms[own].scalarBytes),
    whole: bytes,
  };
}

/** What its children carry of it. @throws RangeError when it has no key identifier */
export function issuerFrom({ subjectName, keyIdentifier, publicKey }: ParsedAuthority): Required<Issuer> {
  if (keyIdentifier === null) throw new RangeError('a CA without key identifier');
  return { name: subjectName, keyIdentifier, algorithm: publicKey.length === 65 ? 'es256' : 'es384' };
}

function readConstraints(extensions: readonly ReadExtension[]): {
  readonly isAuthority: boolean;
  readonly pathLength: number | null;
} {
  const found = extensions.find(({ oid }) => oid === BASIC_CONSTRAINTS);
  if (found === undefined) return { isAuthority: false, pathLength: null };
  const [authority, length] = members(found.value, Tag.sequence);
  const isAuthority = authority?.tag === Tag.boolean && toHex(authority.content) === 'ff' && found.critical;
  return { isAuthority, pathLength: length === undefined ? null : toNumber(readInteger(length)) };
}

function hasUsage(extensions: readonly ReadExtension[]): boolean {
  const found = extensions.find(({ oid }) => oid === KEY_USAGE);
  return found?.critical === true && equal(found.value.whole, AUTHORITY_USAGE);
}

function readCommonName(subject: Node): string | null {
  const [only, ...more] = members(subject, Tag.sequence);
  const [type, text] = members(members(only, Tag.set)[0], Tag.sequence);
  return more.length === 0 && readOid(type) === COMMON_NAME ? readText(text) : null;
}
