/**
 * Device certificates as data: what a certificate is to say, before a byte of it is built or signed.
 *
 * The object identifiers under 1.3.6.1.4.1.32473 are for documentation only (RFC 5612). A maker must configure
 * its own private enterprise number before the first real certificate; they cannot be changed afterwards.
 *
 * @see IEEE 802.1AR-2018 clause 8; RFC 5280; RFC 4108 section 5
 */
import type { Bytes } from '../bytes.ts';
import type { CaAlgorithm } from './algorithm.ts';

/** Builds what is to be signed; the pure builder and the library must agree byte for byte. */
export interface Certificates {
  /** DER of the TBSCertificate. Nothing is signed by this. */
  toBeSigned(intent: CertificateIntent): Promise<Bytes>;
}

/** What a profile puts into a certificate beyond serialNumber subject, key usage, AKI and hardwareModuleName. */
export interface DeviceProfile {
  /** O and CN stand before the serialNumber of the subject. */
  readonly names: boolean;
  /** basicConstraints, critical, cA FALSE. */
  readonly constraints: boolean;
  readonly subjectKeyIdentifier: boolean;
  /** Production batch and manufacturing time, and what the issuer's scope names, in a private extension. */
  readonly manufacturing: boolean;
  /** URL of the issuer's CRL: only where its owner will live as long as the device. */
  readonly distributionPoint: boolean;
  /** Most DER bytes of a certificate, under an issuer with a P-256 key or a P-384 key. */
  readonly bytesMax: number;
}

const short = {
  names: false,
  constraints: false,
  subjectKeyIdentifier: false,
  manufacturing: false,
  distributionPoint: false,
} as const;

/** A card's file for its certificate is made for 600 bytes, Matter's ceiling; `full` needs a larger one. */
export const deviceProfiles = {
  idevid: { ...short, bytesMax: 520 },
  'idevid-batch': { ...short, manufacturing: true, bytesMax: 600 },
  'idevid-crl': { ...short, manufacturing: true, distributionPoint: true, bytesMax: 700 },
  'idevid-full': {
    names: true,
    constraints: true,
    subjectKeyIdentifier: true,
    manufacturing: true,
    distributionPoint: true,
    bytesMax: 900,
  },
} as const satisfies Record<string, DeviceProfile>;
export type ProfileName = keyof typeof deviceProfiles;
export const profileNames = Object.keys(deviceProfiles) as [ProfileName, ...ProfileName[]];

/** The issuing CA as its certificates name it. */
export interface Issuer {
  /** DER Name, the bytes of the CA's own subject. */
  readonly name: Bytes;
  /** The CA's subjectKeyIdentifier, 20 bytes. */
  readonly keyIdentifier: Bytes;
  /** Of its key; `es256` when absent. */
  readonly algorithm?: CaAlgorithm;
}

/** Identifiers of one maker, dotted. */
export interface MakerIdentifiers {
  /** hwType of hardwareModuleName: one per chip model. */
  readonly hardwareType: string;
  /** The private extension with batch and manufacturing time. */
  readonly manufacturing: string;
  /** The private extension of an intermediate with its scope; without it none has one. */
  readonly scope?: string | null;
}

/** Under the documentation arc: for laboratories only. */
export const documentationIdentifiers: MakerIdentifiers = {
  hardwareType: '1.3.6.1.4.1.32473.1.1',
  manufacturing: '1.3.6.1.4.1.32473.1.2',
  scope: '1.3.6.1.4.1.32473.1.3',
};

export interface Manufacturing {
  readonly batch: string;
  /** Milliseconds since 1970, whole seconds. */
  readonly manufacturedAtMs: number;
  /** Only where the issuer's scope names a product. */
  readonly product?: string | null;
  /** Only where the issuer's scope names a region. */
  readonly region?: string | null;
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
  /** Exactly where the profile says so, as the three below. */
  readonly manufacturing: Manufacturing | null;
  readonly names?: SubjectNames | null;
  /** The device key's, 20 bytes. */
  readonly subjectKeyIdentifier?: Bytes | null;
  /** The issuer's, fixed for all that it issues. */
  readonly distributionPoint?: string | null;
}

export interface SubjectNames {
  readonly organization: string;
  readonly commonName: string;
}

/** Bytes of a serial number. RFC 5280 section 4.1.2.2 allows up to 20. */
export const SERIAL_BYTES = 16;

/** A serial from 16 random bytes: positive, and always 16 bytes long. */
export function serialFrom(random: Bytes): Bytes {
  if (random.length !== SERIAL_BYTES) throw new RangeError('a serial is made from 16 bytes');
  return random.map((byte, i) => (i === 0 ? (byte & 0x7f) | 0x40 : byte));
}
