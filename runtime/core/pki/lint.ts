/**
 * Lint before signing: every rule a device certificate must keep, each a refusal. Runs on the bytes that are to
 * be signed, never on the data they were made from.
 */
import { type Bytes, equal, toHex } from '../bytes.ts';
import { eidContext } from '../card/eid-kdf.ts';
import type { Crypto } from '../ports.ts';
import { verifiesUnder } from './algorithm.ts';
import { type ParsedTbs, parseCertificate, parseTbs } from './certificate.ts';
import { DIGITAL_SIGNATURE_USAGE } from './identifiers.ts';
import { type CertificateIntent, deviceProfiles, type Issuer, SERIAL_BYTES } from './profile.ts';
import { verifyRequest } from './request.ts';
import { outsideScope, type Scope } from './scope.ts';
import { extensionsOf, toBeSigned } from './tbs.ts';

/** What is wrong with a certificate; each ends the issuance. */
export type Violation =
  | 'not-readable'
  | 'differs-from-intent'
  | 'subject-is-not-the-eid'
  | 'hardware-module-is-not-the-eid'
  | 'key-is-not-the-chips'
  | 'request-not-verified'
  | 'key-certified-before'
  | 'serial-used-before'
  | 'serial-form'
  | 'issuer-is-not-the-tickets'
  | 'issuer-revoked'
  | 'outside-the-issuers-scope'
  | 'issuer-not-valid'
  | 'validity'
  | 'key-usage'
  | 'extensions'
  | 'too-large'
  | 'signature-wrong';

/** What others have established, against which the certificate is held. */
export interface LintEvidence {
  readonly crypto: Crypto;
  /** Of ticket and reservation. */
  readonly eid: string;
  /** 65-byte point that the chip gave under R-MAC. */
  readonly chipPublicKey: Bytes;
  /** DER certification request that the chip signed. */
  readonly request: Bytes;
  /** The intermediate that the ticket names. */
  readonly issuer: Issuer;
  readonly issuerRevoked: boolean;
  /** Of that intermediate; absent where it may issue everything. */
  readonly scope?: Scope | null;
  /** Milliseconds since 1970; a certificate that begins outside of it is dead or unborn. */
  readonly issuerValidity?: { readonly notBeforeMs: number; readonly notAfterMs: number };
  /** Whether this public key is in the ledger already, for another certificate. */
  readonly keyKnown: boolean;
  readonly serialKnown: boolean;
}

/** Signature and its wrapping under each algorithm: identifier, BIT STRING with two INTEGERs, and the outer header. */
const signatureBytesMax = { es256: 12 + 3 + 72 + 4, es384: 12 + 3 + 104 + 4 } as const;

/** Violations of what is to be signed; empty when it may be. */
export function lintTbs(tbs: Bytes, intent: CertificateIntent, evidence: LintEvidence): readonly Violation[] {
  const parsed = readable(() => parseTbs(tbs, intent.identifiers));
  if (parsed === null) return ['not-readable'];
  const found = new Set<Violation>();
  const check = (holds: boolean, violation: Violation): void => {
    if (!holds) found.add(violation);
  };
  check(readable(() => equal(toBeSigned(intent), tbs)) === true, 'differs-from-intent');
  check(parsed.subjectSerialNumber === evidence.eid, 'subject-is-not-the-eid');
  check(namesEid(parsed, intent, evidence.eid), 'hardware-module-is-not-the-eid');
  check(equal(parsed.publicKey, evidence.chipPublicKey), 'key-is-not-the-chips');
  const request = readable(() => verifyRequest(evidence.crypto, evidence.request));
  check(
    request !== null && equal(request.publicKey, parsed.publicKey) && request.eid === evidence.eid,
    'request-not-verified',
  );
  check(!evidence.keyKnown, 'key-certified-before');
  check(!evidence.serialKnown, 'serial-used-before');
  check(parsed.serial.length === SERIAL_BYTES && ((parsed.serial[0] ?? 0) & 0xc0) === 0x40, 'serial-form');
  check(
    equal(parsed.issuerName, evidence.issuer.name) &&
      equal(parsed.authorityKeyIdentifier ?? new Uint8Array(0), evidence.issuer.keyIdentifier),
    'issuer-is-not-the-tickets',
  );
  check(!evidence.issuerRevoked, 'issuer-revoked');
  const scope = evidence.scope ?? null;
  check(scope === null || outsideScope(scope, parsed).length === 0, 'outside-the-issuers-scope');
  const { notBeforeMs, notAfterMs } = evidence.issuerValidity ?? parsed;
  check(notBeforeMs <= parsed.notBeforeMs && parsed.notBeforeMs <= notAfterMs, 'issuer-not-valid');
  check(parsed.notBeforeMs < parsed.notAfterMs, 'validity');
  check(equal(parsed.keyUsage ?? new Uint8Array(0), DIGITAL_SIGNATURE_USAGE), 'key-usage');
  check(sameExtensions(parsed, intent), 'extensions');
  check(
    tbs.length + signatureBytesMax[parsed.algorithm] <= deviceProfiles[intent.profile].bytesMax,
    'too-large',
  );
  return [...found];
}

/** Violations of a signed certificate: it holds exactly these bytes, and the issuer's key verifies it. */
export function lintSigned(
  certificate: Bytes,
  tbs: Bytes,
  intent: CertificateIntent,
  issuerPublicKey: Bytes,
  crypto: Crypto,
): readonly Violation[] {
  const parsed = readable(() => parseCertificate(certificate, intent.identifiers));
  if (parsed === null) return ['not-readable'];
  const found: Violation[] = [];
  if (!equal(parsed.tbs, tbs)) found.push('differs-from-intent');
  if (certificate.length > deviceProfiles[intent.profile].bytesMax) found.push('too-large');
  if (!verifiesUnder(crypto, issuerPublicKey, parsed.tbs, parsed.signature)) found.push('signature-wrong');
  return found;
}

/** Digits in the subject, bytes in the SAN: nothing but this check ties them together. */
function namesEid(parsed: ParsedTbs, intent: CertificateIntent, eid: string): boolean {
  const module = parsed.hardwareModule;
  return (
    module !== null &&
    module.type === intent.identifiers.hardwareType &&
    toHex(module.serial) === toHex(eidContext(eid))
  );
}

/** No extension more, none less, in the profile's order. */
function sameExtensions(parsed: ParsedTbs, intent: CertificateIntent): boolean {
  const expected = readable(() => extensionsOf(intent));
  const text = (list: readonly { oid: string; critical: boolean }[]): string =>
    list.map(({ oid, critical }) => `${oid}${critical ? '!' : ''}`).join();
  return expected !== null && text(parsed.extensions) === text(expected);
}

/** What `read` gives, or null where it finds a form that is not allowed; that is the finding. */
function readable<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
