/** Object identifiers and fixed DER of the profiles. */
import { type Bytes, fromHex } from '../bytes.ts';
import { oid, sequence } from './der.ts';

/** X.520 serialNumber. RFC 5280 appendix A. */
export const SERIAL_NUMBER = '2.5.4.5';
export const COMMON_NAME = '2.5.4.3';
export const ORGANIZATION = '2.5.4.10';
export const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
export const KEY_USAGE = '2.5.29.15';
export const SUBJECT_ALT_NAME = '2.5.29.17';
export const BASIC_CONSTRAINTS = '2.5.29.19';
export const CRL_NUMBER = '2.5.29.20';
export const REASON_CODE = '2.5.29.21';
export const DISTRIBUTION_POINTS = '2.5.29.31';
export const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
/** id-on-hardwareModuleName. RFC 4108 section 5. */
export const HARDWARE_MODULE_NAME = '1.3.6.1.5.5.7.8.4';

/** AlgorithmIdentifier of ecdsa-with-SHA256; its parameters are absent. RFC 5758 section 3.2. */
export const ECDSA_SHA256: Bytes = sequence(oid('1.2.840.10045.4.3.2'));
/** SubjectPublicKeyInfo of a P-256 key up to its point. RFC 5480 section 2. */
export const P256_SPKI_PREFIX: Bytes = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');
/** Bytes of an uncompressed P-256 point. SEC 1 section 2.3.3. */
export const POINT_BYTES = 65;
/** BIT STRING with digitalSignature alone: 7 unused bits, no trailing zeros. RFC 5280 section 4.2.1.3. */
export const DIGITAL_SIGNATURE_USAGE: Bytes = fromHex('03020780');
/** BIT STRING with keyCertSign and cRLSign: 1 unused bit. RFC 5280 section 4.2.1.3. */
export const AUTHORITY_USAGE: Bytes = fromHex('03020106');
