/**
 * A laboratory's certificate authorities through @peculiar/x509: root, intermediates, the message broker's
 * parties, and empty CRLs. Every key signs through a Signer, so it may be a file or live in a token.
 *
 * A plant's root is offline and signs in a ceremony; the same calls serve there with its own signer.
 *
 * @see RFC 5280 sections 4 and 5
 */
import { createHash } from 'node:crypto';
import type { Bytes } from '../../runtime/core/bytes.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { p256Spki } from '../crypto/node.ts';
import { divertedCrypto, divertedKey, type Library, loadLibrary, signingAlgorithm } from './library.ts';

/** A CA: its certificate, and the key that signs under it. */
export interface Authority {
  readonly certificate: Bytes;
  /** DER Name: what its children carry as issuer. */
  readonly name: Bytes;
  /** Its subjectKeyIdentifier, 20 bytes. */
  readonly keyIdentifier: Bytes;
  readonly signer: Signer;
}

/** Common to all certificates; times in milliseconds since 1970, whole seconds. */
export interface CertificateTerms {
  /** 16 bytes from `serialFrom`. */
  readonly serial: Bytes;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface AuthorityTerms extends CertificateTerms {
  readonly commonName: string;
  /** How many CAs may follow below it. */
  readonly pathLength: number;
}

export interface PartyTerms extends CertificateTerms {
  /** The party's name at the message broker: `[a-z0-9-]{1,32}`. */
  readonly commonName: string;
  /** 65-byte point of a key that is anywhere: only its owner uses it. */
  readonly publicKey: Bytes;
  readonly role: 'server' | 'client';
  /** Names and addresses a server answers to. */
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
}

export interface CrlTerms {
  /** Rises with every CRL of this CA; stored before publication. */
  readonly number: number;
  readonly thisUpdateMs: number;
  /** A broker with an expired CRL refuses every client: leave much more time than between two issues. */
  readonly nextUpdateMs: number;
}

export interface CertificateOffice {
  selfSign(terms: AuthorityTerms, signer: Signer): Promise<Authority>;
  /** A CA under `parent`; its key may live in a token. */
  certifyAuthority(parent: Authority, terms: AuthorityTerms, signer: Signer): Promise<Authority>;
  certifyParty(parent: Authority, terms: PartyTerms): Promise<Bytes>;
  /** A CRL without entries: it must exist from the first day. */
  emptyCrl(authority: Authority, terms: CrlTerms): Promise<Bytes>;
  /** A CA made before, from its stored certificate. @throws RangeError when the key is another */
  reopen(certificate: Bytes, signer: Signer): Authority;
}

const COMMON_NAME = '2.5.4.3';
const CRL_NUMBER = '2.5.29.20';

export async function openCertificateOffice(): Promise<CertificateOffice> {
  const x509 = await loadLibrary();
  const tools: Tools = { x509, crypto: divertedCrypto() };
  return {
    selfSign: (terms, signer) => makeAuthority(tools, null, terms, signer),
    certifyAuthority: (parent, terms, signer) => makeAuthority(tools, parent, terms, signer),
    certifyParty: (parent, terms) =>
      issue(tools, {
        terms,
        subject: nameOf(x509, terms.commonName),
        issuer: new x509.Name(new Uint8Array(parent.name)),
        publicKey: terms.publicKey,
        signer: parent.signer,
        extensions: partyExtensions(x509, parent, terms),
      }),
    emptyCrl: (authority, terms) => issueEmptyCrl(tools, authority, terms),
    reopen: (certificate, signer) => {
      const parsed = new x509.X509Certificate(new Uint8Array(certificate));
      if (!Buffer.from(parsed.publicKey.rawData).equals(p256Spki(signer.publicKey)))
        throw new RangeError('the certificate is for another key');
      return {
        certificate,
        name: new Uint8Array(parsed.subjectName.toArrayBuffer()),
        keyIdentifier: keyIdentifierOf(signer.publicKey),
        signer,
      };
    },
  };
}

/** OpenSSL, and with it the broker, reads a CRL only under this label; the library writes another. */
export function toPem(label: 'CERTIFICATE' | 'X509 CRL', bytes: Bytes): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

interface Tools {
  readonly x509: Library;
  readonly crypto: ReturnType<typeof divertedCrypto>;
}

interface Issue {
  readonly terms: CertificateTerms;
  readonly subject: InstanceType<Library['Name']>;
  readonly issuer: InstanceType<Library['Name']>;
  readonly publicKey: Bytes;
  readonly signer: Signer;
  readonly extensions: readonly InstanceType<Library['Extension']>[];
}

async function issue({ x509, crypto }: Tools, parts: Issue): Promise<Bytes> {
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: Buffer.from(parts.terms.serial).toString('hex'),
      subject: parts.subject,
      issuer: parts.issuer,
      notBefore: new Date(parts.terms.notBeforeMs),
      notAfter: new Date(parts.terms.notAfterMs),
      publicKey: new x509.PublicKey(p256Spki(parts.publicKey)),
      signingKey: divertedKey((message) => parts.signer.sign(message)),
      signingAlgorithm,
      extensions: [...parts.extensions],
    },
    crypto,
  );
  return new Uint8Array(certificate.rawData);
}

/** Without a parent it signs itself. */
async function makeAuthority(
  tools: Tools,
  parent: Authority | null,
  terms: AuthorityTerms,
  signer: Signer,
): Promise<Authority> {
  const { x509 } = tools;
  const subject = nameOf(x509, terms.commonName);
  const keyIdentifier = keyIdentifierOf(signer.publicKey);
  const certificate = await issue(tools, {
    terms,
    subject,
    issuer: parent === null ? subject : new x509.Name(new Uint8Array(parent.name)),
    publicKey: signer.publicKey,
    signer: parent?.signer ?? signer,
    extensions: [
      new x509.BasicConstraintsExtension(true, terms.pathLength, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.SubjectKeyIdentifierExtension(hex(keyIdentifier)),
      new x509.AuthorityKeyIdentifierExtension(hex(parent?.keyIdentifier ?? keyIdentifier)),
    ],
  });
  return { certificate, name: new Uint8Array(subject.toArrayBuffer()), keyIdentifier, signer };
}

async function issueEmptyCrl(
  { x509, crypto }: Tools,
  authority: Authority,
  { number, thisUpdateMs, nextUpdateMs }: CrlTerms,
): Promise<Bytes> {
  const crl = await x509.X509CrlGenerator.create(
    {
      issuer: new x509.Name(new Uint8Array(authority.name)),
      thisUpdate: new Date(thisUpdateMs),
      nextUpdate: new Date(nextUpdateMs),
      signingAlgorithm,
      signingKey: divertedKey((message) => authority.signer.sign(message)),
      extensions: [
        new x509.AuthorityKeyIdentifierExtension(hex(authority.keyIdentifier)),
        new x509.Extension(CRL_NUMBER, false, derInteger(number)),
      ],
    },
    crypto,
  );
  return new Uint8Array(crl.rawData);
}

function partyExtensions(
  x509: Library,
  parent: Authority,
  { role, dns, ip }: PartyTerms,
): Issue['extensions'] {
  const names = [
    ...(dns ?? []).map((value) => ({ type: x509.DNS, value }) as const),
    ...(ip ?? []).map((value) => ({ type: x509.IP, value }) as const),
  ];
  const use = role === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([use]),
    new x509.AuthorityKeyIdentifierExtension(hex(parent.keyIdentifier)),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
  ];
}

/** One common name as UTF8String. */
function nameOf(x509: Library, commonName: string): InstanceType<Library['Name']> {
  return new x509.Name([{ [COMMON_NAME]: [{ utf8String: commonName }] }]);
}

/** SHA-1 of the point: method 1 of RFC 5280 section 4.2.1.2. An identifier, not a protection. */
function keyIdentifierOf(publicKey: Bytes): Bytes {
  return createHash('sha1').update(publicKey).digest();
}

/** A non-negative INTEGER; a leading 00 where the top bit would make it negative. */
function derInteger(value: number): Buffer {
  const digits = value.toString(16);
  const body = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const signed = (body[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), body]) : body;
  return Buffer.concat([Buffer.of(0x02, signed.length), signed]);
}

function hex(bytes: Bytes): string {
  return Buffer.from(bytes).toString('hex');
}
