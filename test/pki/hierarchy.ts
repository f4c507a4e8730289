/** A hierarchy made by the product's own builders, with keys that anybody may know, for whoever judges chains. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { privateKeyFrom, publicKeyOf } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { type CaAlgorithm, keyIdentifierOf } from '../../runtime/core/pki/algorithm.ts';
import {
  type AuthorityIntent,
  authorityToBeSigned,
  issuerFrom,
  type ParsedAuthority,
  parseAuthority,
} from '../../runtime/core/pki/authority.ts';
import { assembleCertificate } from '../../runtime/core/pki/certificate.ts';
import { assembleCrl, type CrlEntry, crlToBeSigned } from '../../runtime/core/pki/crl.ts';
import {
  type CertificateIntent,
  deviceProfiles,
  documentationIdentifiers,
  type ProfileName,
  serialFrom,
} from '../../runtime/core/pki/profile.ts';
import { toBeSigned } from '../../runtime/core/pki/tbs.ts';
import { FAR_DATE_MS } from '../../runtime/core/pki/time.ts';
import type { Signer } from '../../runtime/core/ports.ts';

export const EID = '89049032123451234512345678901235';
/** Whole seconds; OpenSSL is told the same moment. */
export const NOW_MS = 1_795_000_000_000;
export const DAY_MS = 86_400_000;

export interface CaKey extends Signer {
  readonly signNow: (message: Bytes) => Bytes;
}

const keys = new Map<string, CaKey>();
let serials = 0;

/** The same key for the same name. */
export function caKey(name: string, algorithm: CaAlgorithm = 'es256'): CaKey {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const namedCurve = algorithm === 'es256' ? 'P-256' : 'P-384';
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  const made = keyOf(privateKey, algorithm);
  keys.set(name, made);
  return made;
}

function keyOf(privateKey: KeyObject, algorithm: CaAlgorithm): CaKey {
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  const part = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url');
  const hash = algorithm === 'es256' ? 'sha256' : 'sha384';
  const signNow = (message: Bytes): Bytes =>
    sign(hash, message, {
      key: createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })),
      dsaEncoding: 'ieee-p1363',
    });
  return {
    publicKey: Buffer.concat([Buffer.of(4), part(x), part(y)]),
    signNow,
    sign: async (message) => signNow(message),
  };
}

export interface TestAuthority {
  readonly key: CaKey;
  readonly certificate: Bytes;
  readonly parsed: ParsedAuthority;
}

export function freshSerial(): Bytes {
  return serialFrom(
    new Uint8Array(16).map((_, i) => (i === 15 ? ++serials & 0xff : i === 14 ? serials >> 8 : 7)),
  );
}

/** `parent` null: a root. `signedBy`: another key than the parent's. */
export function makeAuthority(
  commonName: string,
  parent: TestAuthority | null,
  changes: Partial<AuthorityIntent> & { readonly algorithm?: CaAlgorithm; readonly signedBy?: CaKey } = {},
): TestAuthority {
  const { algorithm = 'es256', signedBy, ...rest } = changes;
  const key = caKey(commonName, algorithm);
  const tbs = authorityToBeSigned(
    {
      serial: freshSerial(),
      commonName,
      issuer: parent === null ? null : issuerFrom(parent.parsed),
      publicKey: key.publicKey,
      keyIdentifier: keyIdentifierOf(key.publicKey, nodeCrypto),
      notBeforeMs: NOW_MS - 365 * DAY_MS,
      notAfterMs: FAR_DATE_MS,
      pathLength: parent === null ? 1 : 0,
      scope: null,
      distributionPoint: null,
      identifiers: documentationIdentifiers,
      ...rest,
    },
    algorithm,
  );
  const certificate = assembleCertificate(tbs, (signedBy ?? parent?.key ?? key).signNow(tbs));
  return { key, certificate, parsed: parseAuthority(certificate, documentationIdentifiers) };
}

export interface TestDevice {
  readonly certificate: Bytes;
  readonly serial: Bytes;
  readonly intent: CertificateIntent;
}

export function makeDevice(
  issuer: TestAuthority,
  profile: ProfileName = 'idevid-batch',
  changes: Partial<CertificateIntent> = {},
  signedBy: CaKey = issuer.key,
): TestDevice {
  const parts = deviceProfiles[profile];
  const intent: CertificateIntent = {
    profile,
    issuer: issuerFrom(issuer.parsed),
    serial: freshSerial(),
    eid: EID,
    publicKey: publicKeyOf(privateKeyFrom(new Uint8Array(40).fill(++serials & 0xff))),
    notBeforeMs: NOW_MS - DAY_MS,
    notAfterMs: FAR_DATE_MS,
    identifiers: documentationIdentifiers,
    manufacturing: parts.manufacturing
      ? { batch: 'BATCH-7', manufacturedAtMs: NOW_MS - DAY_MS, product: 'meter', region: 'EU' }
      : null,
    names: parts.names ? { organization: 'Maker of meters', commonName: 'meter 1' } : null,
    subjectKeyIdentifier: parts.subjectKeyIdentifier ? new Uint8Array(20).fill(9) : null,
    distributionPoint: parts.distributionPoint ? 'http://crl.example/line-1.crl' : null,
    ...changes,
  };
  const tbs = toBeSigned(intent);
  return { certificate: assembleCertificate(tbs, signedBy.signNow(tbs)), serial: intent.serial, intent };
}

export function makeCrl(
  issuer: TestAuthority,
  revoked: readonly Bytes[],
  changes: { readonly number?: number; readonly nextUpdateMs?: number; readonly signedBy?: CaKey } = {},
): Bytes {
  const entries: readonly CrlEntry[] = revoked.map((serial) => ({
    serial,
    revokedAtMs: NOW_MS - 3_600_000,
    reason: 'keyCompromise',
  }));
  const tbs = crlToBeSigned({
    issuer: issuerFrom(issuer.parsed),
    number: changes.number ?? 1,
    thisUpdateMs: NOW_MS - 3_600_000,
    nextUpdateMs: changes.nextUpdateMs ?? NOW_MS + 30 * DAY_MS,
    entries,
  });
  return assembleCrl(tbs, (changes.signedBy ?? issuer.key).signNow(tbs));
}
