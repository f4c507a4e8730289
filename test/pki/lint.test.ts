import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { privateKeyFrom, publicKeyOf, signMessage } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { type Bytes, concat, toHex } from '../../runtime/core/bytes.ts';
import { assembleCertificate } from '../../runtime/core/pki/certificate.ts';
import { oid, sequence, set, utf8String } from '../../runtime/core/pki/der.ts';
import { type LintEvidence, lintSigned, lintTbs, type Violation } from '../../runtime/core/pki/lint.ts';
import {
  type CertificateIntent,
  documentationIdentifiers,
  serialFrom,
} from '../../runtime/core/pki/profile.ts';
import { assembleRequest, requestInfo, verifyRequest } from '../../runtime/core/pki/request.ts';
import { signatureToDer } from '../../runtime/core/pki/signature.ts';
import { toBeSigned } from '../../runtime/core/pki/tbs.ts';
import { FAR_DATE_MS } from '../../runtime/core/pki/time.ts';

const EID = '89049032123451234512345678901235';
const OTHER_EID = '89086030202200000022000023022943';
const chipKey = privateKeyFrom(new Uint8Array(40).fill(1));
const otherKey = privateKeyFrom(new Uint8Array(40).fill(2));
const issuerKey = privateKeyFrom(new Uint8Array(40).fill(3));

function issuer(commonName: string) {
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8String(commonName))));
  return { name, keyIdentifier: new Uint8Array(20).fill(7) };
}

const intent: CertificateIntent = {
  profile: 'idevid-batch',
  issuer: issuer('Batch CA 1'),
  serial: serialFrom(new Uint8Array(16).fill(0x9c)),
  eid: EID,
  publicKey: publicKeyOf(chipKey),
  notBeforeMs: 1_767_322_800_000,
  notAfterMs: FAR_DATE_MS,
  identifiers: documentationIdentifiers,
  manufacturing: { batch: 'BATCH-2026-0042', manufacturedAtMs: 1_767_322_800_000 },
};

function request(eid: string, key: Bytes, signingKey = key): Bytes {
  const info = requestInfo(eid, publicKeyOf(key));
  return assembleRequest(info, signatureToDer(signMessage(signingKey, info)));
}

const evidence: LintEvidence = {
  crypto: nodeCrypto,
  eid: EID,
  chipPublicKey: publicKeyOf(chipKey),
  request: request(EID, chipKey),
  issuer: issuer('Batch CA 1'),
  issuerRevoked: false,
  keyKnown: false,
  serialKnown: false,
};

describe('lint before signing', () => {
  it('finds nothing wrong with what every party has agreed on', () => {
    assert.deepEqual(lintTbs(toBeSigned(intent), intent, evidence), []);
    const short: CertificateIntent = { ...intent, profile: 'idevid', manufacturing: null };
    assert.deepEqual(lintTbs(toBeSigned(short), short, evidence), []);
  });

  const cases: readonly [Violation, Partial<CertificateIntent>, Partial<LintEvidence>][] = [
    ['subject-is-not-the-eid', {}, { eid: OTHER_EID }],
    ['hardware-module-is-not-the-eid', { eid: OTHER_EID }, {}],
    ['key-is-not-the-chips', {}, { chipPublicKey: publicKeyOf(otherKey) }],
    ['request-not-verified', {}, { request: request(EID, chipKey, otherKey) }],
    ['request-not-verified', {}, { request: request(EID, otherKey) }],
    ['request-not-verified', {}, { request: request(OTHER_EID, chipKey) }],
    ['request-not-verified', {}, { request: new Uint8Array(3) }],
    ['key-certified-before', {}, { keyKnown: true }],
    ['serial-used-before', {}, { serialKnown: true }],
    ['outside-the-issuers-scope', {}, { scope: { product: null, batch: 'BATCH-8', region: null } }],
    ['outside-the-issuers-scope', {}, { scope: { product: 'meter', batch: null, region: null } }],
    ['issuer-not-valid', {}, { issuerValidity: { notBeforeMs: 0, notAfterMs: 1_767_000_000_000 } }],
    ['issuer-not-valid', {}, { issuerValidity: { notBeforeMs: 1_768_000_000_000, notAfterMs: FAR_DATE_MS } }],
    ['serial-form', { serial: new Uint8Array(16).fill(0x20) }, {}],
    ['serial-form', { serial: new Uint8Array(8).fill(0x40) }, {}],
    ['issuer-is-not-the-tickets', { issuer: issuer('Batch CA 2') }, {}],
    ['issuer-is-not-the-tickets', {}, { issuer: { ...evidence.issuer, keyIdentifier: new Uint8Array(20) } }],
    ['issuer-revoked', {}, { issuerRevoked: true }],
    ['validity', { notAfterMs: 0 }, {}],
    ['too-large', { manufacturing: { batch: 'B'.repeat(200), manufacturedAtMs: 0 } }, {}],
  ];
  for (const [violation, changedIntent, changedEvidence] of cases)
    it(`finds ${violation}`, () => {
      const changed = { ...intent, ...changedIntent };
      const found = lintTbs(toBeSigned(changed), changed, { ...evidence, ...changedEvidence });
      assert.ok(found.includes(violation), found.join());
    });

  it('holds the bytes to the profile: no extension more, none less, nothing but the intent', () => {
    const short = { ...intent, profile: 'idevid', manufacturing: null } as const;
    assert.deepEqual(lintTbs(toBeSigned(intent), short, evidence), ['differs-from-intent', 'extensions']);
    assert.deepEqual(lintTbs(toBeSigned(short), intent, evidence), ['differs-from-intent', 'extensions']);
    const later = { ...intent, notBeforeMs: intent.notBeforeMs + 1000 };
    assert.deepEqual(lintTbs(toBeSigned(later), intent, evidence), ['differs-from-intent']);
    assert.deepEqual(lintTbs(new Uint8Array(9), intent, evidence), ['not-readable']);
    const usage = toHex(toBeSigned(intent)).replace('03020780', '03020106');
    assert.ok(lintTbs(Buffer.from(usage, 'hex'), intent, evidence).includes('key-usage'));
  });

  it('after signing: exactly these bytes, and the issuer verifies them', () => {
    const tbs = toBeSigned(intent);
    const certificate = assembleCertificate(tbs, signMessage(issuerKey, tbs));
    const issuerPoint = publicKeyOf(issuerKey);
    assert.deepEqual(lintSigned(certificate, tbs, intent, issuerPoint, nodeCrypto), []);
    const forged = assembleCertificate(tbs, signMessage(otherKey, tbs));
    assert.deepEqual(lintSigned(forged, tbs, intent, issuerPoint, nodeCrypto), ['signature-wrong']);
    const other = toBeSigned({ ...intent, eid: OTHER_EID });
    const swapped = assembleCertificate(other, signMessage(issuerKey, other));
    assert.deepEqual(lintSigned(swapped, tbs, intent, issuerPoint, nodeCrypto), ['differs-from-intent']);
    const trailing = concat(certificate, Uint8Array.of(0));
    assert.deepEqual(lintSigned(trailing, tbs, intent, issuerPoint, nodeCrypto), ['not-readable']);
  });
});

describe('certification requests of chips that only sign', () => {
  it('give EID and key when their own key has signed, and nothing otherwise', () => {
    const verified = verifyRequest(nodeCrypto, request(EID, chipKey));
    assert.equal(verified?.eid, EID);
    assert.equal(toHex(verified?.publicKey ?? new Uint8Array(0)), publicKeyOf(chipKey).toString('hex'));
    assert.equal(verifyRequest(nodeCrypto, request(EID, chipKey, otherKey)), null);
  });
});
