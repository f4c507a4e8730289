/**
 * Device certificates as data: what a certificate is to say, before a byte of it is built or signed.
 *
 * The object identifiers under 1.3.6.1.4.1.32473 are for documentation only (RFC 5612). A maker must configure
 * its own private enterprise number before the first real certificate; they cannot be changed afterwards.
 *
 * @see IEEE 802.1AR-2018 clause 8; RFC 5280; RFC 4108 section 5
 */
import type { Bytes } from '../bytes.ts';

/** Builds what is to be signed; the pure builder and the library must agree byte for byte. */
export interface Certificates {
  /** DER of the TBSCertificate. Nothing is signed by this. */
  toBeSigned(intent: CertificateIntent): Promise<Bytes>;
}

/**
 * `idevid`: serialNumber subject, key usage, AKI, hardwareModuleName. `idevid-batch`: the same and, in a private
 * extension, production batch and manufacturing time.
 */
export type ProfileName = 'idevid' | 'idevid-batch';

/** The issuing CA as its certificates name it. */
export interface Issuer {
  /** DER Name, the bytes of the CA's own subject. */
  readonly name: Bytes;
  /** The CA's subjectKeyIdentifier, 20 bytes. */
  readonly keyIdentifier: Bytes;
}

/** Identifiers of one maker, dotted. */
export interface MakerIdentifiers {
  /** hwType of hardwareModuleName: one per chip model. */
  readonly hardwareType: string;
  /** The private extension with batch and manufacturing time. */
  readonly manufacturing: string;
}

/** Under the documentation arc: for laboratories only. */
export const documentationIdentifiers: MakerIdentifiers = {
  hardwareType: '1.3.6.1.4.1.32473.1.1',
  manufacturing: '1.3.6.1.4.1.32473.1.2',
};

export interface Manufacturing {
  readonly batch: string;
  /** Milliseconds since 1970, whole seconds. */
  readonly manufacturedAtMs: number;
}

/** Stored durably, linted, and only then signed. */
export interface CertificateIntent {
  readonly profile: ProfileName;
  readonly issuer: Issuer;
  /** 16 bytes, see `serialFrom`. */
  readonly serial: Bytes;
  readonly eid: string;
  /** 65-byte uncompressed point. */
  readonly publicKey: Bytes;
  /** Milliseconds since 1970, whole seconds: the gateway's clock. */
  readonly notBeforeMs: number;
  /** `FAR_DATE_MS` for a device without a planned end. */
  readonly notAfterMs: number;
  readonly identifiers: MakerIdentifiers;
  /** Only for `idevid-batch`, and then always. */
  readonly manufacturing: Manufacturing | null;
}

/** Bytes of a serial number. RFC 5280 section 4.1.2.2 allows up to 20. */
export const SERIAL_BYTES = 16;
/** Most DER bytes of a device certificate; the ceiling that Matter sets. */
export const CERTIFICATE_BYTES_MAX = 600;

/** A serial from 16 random bytes: positive, and always 16 bytes long. */
export function serialFrom(random: Bytes): Bytes {
  if (random.length !== SERIAL_BYTES) throw new RangeError('a serial is made from 16 bytes');
  return random.map((byte, i) => (i === 0 ? (byte & 0x7f) | 0x40 : byte));
}
