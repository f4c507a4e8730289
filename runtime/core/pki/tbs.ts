/**
 * TBSCertificate of a device in pure DER. The bytes exist before any key is asked, so that the intent can be
 * stored and linted first.
 *
 * @see RFC 5280 section 4.1
 */
import { type Bytes, concat, fromHex, fromText } from '../bytes.ts';
import { eidContext } from '../card/eid-kdf.ts';
import { caAlgorithms } from './algorithm.ts';
import {
  contextTag,
  der,
  integer,
  octetString,
  oid,
  printableString,
  sequence,
  set,
  TRUE,
  utf8String,
} from './der.ts';
import {
  AUTHORITY_KEY_IDENTIFIER,
  BASIC_CONSTRAINTS,
  COMMON_NAME,
  DIGITAL_SIGNATURE_USAGE,
  DISTRIBUTION_POINTS,
  HARDWARE_MODULE_NAME,
  KEY_USAGE,
  ORGANIZATION,
  P256_SPKI_PREFIX,
  POINT_BYTES,
  SERIAL_NUMBER,
  SUBJECT_ALT_NAME,
  SUBJECT_KEY_IDENTIFIER,
} from './identifiers.ts';
import {
  type CertificateIntent,
  type Certificates,
  type DeviceProfile,
  deviceProfiles,
  type MakerIdentifiers,
  type Manufacturing,
  type SubjectNames,
} from './profile.ts';
import { generalizedTime, timeOf } from './time.ts';

/** Version 3. RFC 5280 section 4.1.2.1. */
const VERSION_3 = der(contextTag(0, true), fromHex('020102'));

/** The builder of this module behind the interface it shares with the library. */
export const derCertificates: Certificates = {
  toBeSigned: (intent) => Promise.resolve(toBeSigned(intent)),
};

/** @throws RangeError when the intent does not have the form of its profile */
export function toBeSigned(intent: CertificateIntent): Bytes {
  if (intent.publicKey.length !== POINT_BYTES) throw new RangeError('a public key has 65 bytes');
  return sequence(
    VERSION_3,
    integer(intent.serial),
    caAlgorithms[intent.issuer.algorithm ?? 'es256'].identifier,
    intent.issuer.name,
    sequence(timeOf(intent.notBeforeMs), timeOf(intent.notAfterMs)),
    subjectOf(intent.eid, intent.names ?? null),
    concat(P256_SPKI_PREFIX, intent.publicKey),
    der(contextTag(3, true), sequence(...extensionsOf(intent).map(encodeExtension))),
  );
}

/** One extension with its DER value, in the order of the profile. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Bytes;
}

/** @throws RangeError when the profile wants something that is missing, or the reverse */
export function extensionsOf(intent: CertificateIntent): readonly Extension[] {
  const { issuer, identifiers, eid, manufacturing } = intent;
  const profile = demandForm(intent);
  const url = intent.distributionPoint ?? null;
  const keyId = intent.subjectKeyIdentifier ?? null;
  return [
    ...(profile.constraints ? [{ oid: BASIC_CONSTRAINTS, critical: true, value: sequence() }] : []),
    { oid: KEY_USAGE, critical: true, value: DIGITAL_SIGNATURE_USAGE },
    ...(keyId === null ? [] : [{ oid: SUBJECT_KEY_IDENTIFIER, critical: false, value: octetString(keyId) }]),
    {
      oid: AUTHORITY_KEY_IDENTIFIER,
      critical: false,
      value: sequence(der(contextTag(0, false), issuer.keyIdentifier)),
    },
    { oid: SUBJECT_ALT_NAME, critical: false, value: hardwareModuleName(identifiers, eid) },
    ...(manufacturing === null
      ? []
      : [{ oid: identifiers.manufacturing, critical: false, value: manufacturingValue(manufacturing) }]),
    ...(url === null ? [] : [{ oid: DISTRIBUTION_POINTS, critical: false, value: distributionPoints(url) }]),
  ];
}

function demandForm(intent: CertificateIntent): DeviceProfile {
  const profile: DeviceProfile = deviceProfiles[intent.profile];
  const given = {
    manufacturing: intent.manufacturing,
    names: intent.names ?? null,
    subjectKeyIdentifier: intent.subjectKeyIdentifier ?? null,
    distributionPoint: intent.distributionPoint ?? null,
  };
  for (const [part, value] of Object.entries(given) as [keyof typeof given, unknown][])
    if (profile[part] !== (value !== null))
      throw new RangeError(`${intent.profile} has ${profile[part] ? '' : 'no '}${part}`);
  return profile;
}

/** One DistributionPoint with one URI. RFC 5280 section 4.2.1.13. */
export function distributionPoints(url: string): Bytes {
  const name = der(contextTag(0, true), der(contextTag(6, false), fromText(url)));
  return sequence(sequence(der(contextTag(0, true), name)));
}

/** Name with serialNumber = the 32 digits of the EID; by profile O and CN before it. */
export function subjectOf(eid: string, names: SubjectNames | null = null): Bytes {
  const serialNumber = set(sequence(oid(SERIAL_NUMBER), printableString(eid)));
  if (names === null) return sequence(serialNumber);
  return sequence(
    attribute(ORGANIZATION, names.organization),
    attribute(COMMON_NAME, names.commonName),
    serialNumber,
  );
}

/** A relative name with one attribute, UTF8String. */
export function attribute(type: string, value: string): Bytes {
  return set(sequence(oid(type), utf8String(value)));
}

/** GeneralNames with otherName hardwareModuleName { hwType, hwSerialNum = 16 EID bytes }. RFC 4108 section 5. */
function hardwareModuleName({ hardwareType }: MakerIdentifiers, eid: string): Bytes {
  const module = sequence(oid(hardwareType), octetString(eidContext(eid)));
  return sequence(der(contextTag(0, true), oid(HARDWARE_MODULE_NAME), der(contextTag(0, true), module)));
}

/** SEQUENCE { batch UTF8String, manufactured GeneralizedTime, product [0] and region [1] UTF8String OPTIONAL }:
 * Holdfast's own. */
function manufacturingValue({ batch, manufacturedAtMs, product, region }: Manufacturing): Bytes {
  return sequence(
    utf8String(batch),
    generalizedTime(manufacturedAtMs),
    ...[product, region].flatMap((text, tag) =>
      text == null ? [] : [der(contextTag(tag, false), fromText(text))],
    ),
  );
}

export function encodeExtension({ oid: name, critical, value }: Extension): Bytes {
  return sequence(oid(name), critical ? TRUE : new Uint8Array(0), octetString(value));
}
