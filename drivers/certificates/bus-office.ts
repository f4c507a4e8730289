/** The authority of the message broker's parties: short certificates for clients, and the list of those revoked. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Bytes, toHex } from '../../runtime/core/bytes.ts';
import { Fault } from '../../runtime/core/faults.ts';
import { serialFrom } from '../../runtime/core/pki/profile.ts';
import { openFileSigner } from '../token/file-signer.ts';
import { type Authority, openCertificateOffice, toPem } from './authority.ts';
import { divertedCrypto, divertedKey, loadLibrary, signingAlgorithm } from './library.ts';

/** PEM files; the key's mode is 0600. */
export interface BusAuthorityFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface ClientTerms {
  readonly name: string;
  /** 65-byte point. */
  readonly publicKey: Bytes;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CrlOrder {
  readonly number: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Serial numbers, hexadecimal, each with the moment of its revocation. */
  readonly entries: readonly { readonly serial: string; readonly since: string }[];
}

export interface BusOffice {
  /** A serial number for a certificate, hexadecimal: noted before the certificate is made. */
  drawSerial(): string;
  /** PEM. @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
  certify(authority: BusAuthorityFiles, serial: string, terms: ClientTerms): Promise<string>;
  /** PEM, with the label that the broker reads. @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
  crl(authority: BusAuthorityFiles, order: CrlOrder): Promise<string>;
}

/** A client's certificate as far as it says whose it is. */
export interface ClientCertificate {
  readonly der: Bytes;
  readonly name: string;
  /** 65-byte point. */
  readonly publicKey: Bytes;
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const CRL_NUMBER = '2.5.29.20';
const SERIAL_BYTES = 16;
const SECOND_MS = 1_000;

export function openBusOffice(): BusOffice {
  return {
    drawSerial: () => toHex(serialFrom(randomBytes(SERIAL_BYTES))),
    certify: async (files, serial, { name, publicKey, notBeforeMs, notAfterMs }) => {
      const office = await openCertificateOffice();
      const party = { commonName: name, publicKey, role: 'client' } as const;
      const times = { notBeforeMs: wholeSecond(notBeforeMs), notAfterMs: wholeSecond(notAfterMs) };
      const terms = { serial: Buffer.from(serial, 'hex'), ...times, ...party };
      return toPem('CERTIFICATE', await office.certifyParty(await authorityOf(files), terms));
    },
    crl: async (files, order) => toPem('X509 CRL', await issueCrl(await authorityOf(files), order)),
  };
}

/**
 * Reads a client's certificate that this authority signed.
 * @throws Fault ENROLMENT_FOREIGN for a certificate of anybody else
 */
export function readClientCertificate(certificate: Bytes | string, authorityFile: string): ClientCertificate {
  const authority = readFileOr(authorityFile);
  try {
    const parsed = new X509Certificate(certificate);
    const [, name = ''] = /^CN=([a-z0-9-]{1,32})$/.exec(parsed.subject) ?? [];
    const { x = '', y = '' } = parsed.publicKey.export({ format: 'jwk' });
    if (name === '' || parsed.ca || !parsed.verify(new X509Certificate(authority).publicKey))
      throw new RangeError('not signed by this authority, or not a client’s');
    return {
      der: parsed.raw,
      name,
      publicKey: Buffer.concat([Buffer.of(0x04), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]),
      serial: parsed.serialNumber.toLowerCase(),
      notBeforeMs: Date.parse(parsed.validFrom),
      notAfterMs: Date.parse(parsed.validTo),
    };
  } catch (cause) {
    throw new Fault('ENROLMENT_FOREIGN', { why: 'not a client certificate of this authority' }, { cause });
  }
}

async function authorityOf({ certificate, key }: BusAuthorityFiles): Promise<Authority> {
  const office = await openCertificateOffice();
  const signer = await openFileSigner(key);
  try {
    return office.reopen(new X509Certificate(readFileOr(certificate)).raw, signer);
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', { certificate, key }, { cause });
  }
}

async function issueCrl(authority: Authority, order: CrlOrder): Promise<Bytes> {
  const x509 = await loadLibrary();
  const crl = await x509.X509CrlGenerator.create(
    {
      issuer: new x509.Name(new Uint8Array(authority.name)),
      thisUpdate: new Date(order.thisUpdateMs),
      nextUpdate: new Date(order.nextUpdateMs),
      signingAlgorithm,
      signingKey: divertedKey((message) => authority.signer.sign(message)),
      entries: order.entries.map(({ serial, since }) => ({
        serialNumber: serial,
        revocationDate: new Date(since),
        reason: x509.X509CrlReason.privilegeWithdrawn,
      })),
      extensions: [
        new x509.AuthorityKeyIdentifierExtension(toHex(authority.keyIdentifier)),
        new x509.Extension(CRL_NUMBER, false, derInteger(order.number)),
      ],
    },
    divertedCrypto(),
  );
  return new Uint8Array(crl.rawData);
}

/** A non-negative INTEGER. */
function derInteger(value: number): Buffer {
  const digits = value.toString(16);
  const body = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const signed = (body[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), body]) : body;
  return Buffer.concat([Buffer.of(0x02, signed.length), signed]);
}

function wholeSecond(ms: number): number {
  return Math.floor(ms / SECOND_MS) * SECOND_MS;
}

function readFileOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Fault('FILE_UNREADABLE', { file }, { cause });
  }
}
