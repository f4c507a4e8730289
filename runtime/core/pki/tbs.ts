/**
 * TBSCertificate of a device in pure DER. The bytes exist before any key is asked, so that the intent can be
 * stored and linted first.
 *
 * @see RFC 5280 section 4.1
 */
import { type Bytes, concat, fromHex } from '../bytes.ts';
import { eidContext } from '../card/eid-kdf.ts';
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
  DIGITAL_SIGNATURE_USAGE,
  ECDSA_SHA256,
  HARDWARE_MODULE_NAME,
  KEY_USAGE,
  P256_SPKI_PREFIX,
  POINT_BYTES,
  SERIAL_NUMBER,
  SUBJECT_ALT_NAME,
} from './identifiers.ts';
import type { CertificateIntent, Certificates, MakerIdentifiers, Manufacturing } from './profile.ts';
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
    ECDSA_SHA256,
    intent.issuer.name,
    sequence(timeOf(intent.notBeforeMs), timeOf(intent.notAfterMs)),
    subjectOf(intent.eid),
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

/** @throws RangeError when the profile wants manufacturing data that are missing, or the reverse */
export function extensionsOf(intent: CertificateIntent): readonly Extension[] {
  const { issuer, identifiers, eid, manufacturing } = intent;
  if ((intent.profile === 'idevid-batch') !== (manufacturing !== null))
    throw new RangeError('manufacturing data belong to the profile idevid-batch');
  return [
    { oid: KEY_USAGE, critical: true, value: DIGITAL_SIGNATURE_USAGE },
    {
      oid: AUTHORITY_KEY_IDENTIFIER,
      critical: false,
      value: sequence(der(contextTag(0, false), issuer.keyIdentifier)),
    },
    { oid: SUBJECT_ALT_NAME, critical: false, value: hardwareModuleName(identifiers, eid) },
    ...(manufacturing === null
      ? []
      : [{ oid: identifiers.manufacturing, critical: false, value: manufacturingValue(manufacturing) }]),
  ];
}

/** Name with one attribute: serialNumber = the 32 digits of the EID. */
export function subjectOf(eid: string): Bytes {
  return sequence(set(sequence(oid(SERIAL_NUMBER), printableString(eid))));
}

/** GeneralNames with otherName hardwareModuleName { hwType, hwSerialNum = 16 EID bytes }. RFC 4108 section 5. */
function hardwareModuleName({ hardwareType }: MakerIdentifiers, eid: string): Bytes {
  const module = sequence(oid(hardwareType), octetString(eidContext(eid)));
  return sequence(der(contextTag(0, true), oid(HARDWARE_MODULE_NAME), der(contextTag(0, true), module)));
}

/** SEQUENCE { batch UTF8String, manufactured GeneralizedTime }: Holdfast's own. */
function manufacturingValue({ batch, manufacturedAtMs }: Manufacturing): Bytes {
  return sequence(utf8String(batch), generalizedTime(manufacturedAtMs));
}

function encodeExtension({ oid: name, critical, value }: Extension): Bytes {
  return sequence(oid(name), critical ? TRUE : new Uint8Array(0), octetString(value));
}
