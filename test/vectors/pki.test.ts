import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { type Bytes, fromHex, toHex } from '../../runtime/core/bytes.ts';
import { parseCertificate } from '../../runtime/core/pki/certificate.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import { signatureFromDer, signatureToDer } from '../../runtime/core/pki/signature.ts';
import { toBeSigned } from '../../runtime/core/pki/tbs.ts';

/** Chains whose leaf is not of a profile of ours. The verdicts on the chains are OpenSSL's to give, not ours. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'idevid-device-ok-full',
  'idevid-pathlen-violated',
  'idevid-wrong-signer',
]);

interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly inputs: Readonly<Record<string, string>> & { readonly intermediates: readonly string[] };
  readonly expected: Readonly<Record<string, string>>;
}
const { vectors } = JSON.parse(readFileSync('test/vectors/vectors.json', 'utf8')) as {
  readonly vectors: readonly Vector[];
};

describe('vectors: certificates', () => {
  for (const { id, inputs } of vectors.filter(({ kind }) => kind === 'x509-idevid-chain')) {
    if (LEFT_OUT.has(id)) continue;
    it(`builds the device certificate of ${id} byte for byte as it was made elsewhere`, () => {
      const leaf = new X509Certificate(inputs.leaf ?? '');
      const parsed = parseCertificate(leaf.raw, documentationIdentifiers);
      const tbs = toBeSigned({
        profile: 'idevid',
        issuer: {
          name: parsed.issuerName,
          keyIdentifier: parsed.authorityKeyIdentifier ?? new Uint8Array(0),
        },
        serial: fromHex(leaf.serialNumber),
        eid: parsed.subjectSerialNumber ?? '',
        publicKey: parsed.publicKey,
        notBeforeMs: Date.parse(leaf.validFrom),
        notAfterMs: Date.parse(leaf.validTo),
        identifiers: documentationIdentifiers,
        manufacturing: null,
      });
      assert.equal(toHex(tbs), toHex(parsed.tbs));
      assert.equal(toHex(parsed.hardwareModule?.serial ?? new Uint8Array(0)), parsed.subjectSerialNumber);
      const parent = new X509Certificate(inputs.intermediates[0] ?? '');
      const issuerPoint = parent.publicKey.export({ format: 'der', type: 'spki' }).subarray(26);
      assert.ok(nodeCrypto.verifyP256(issuerPoint, parsed.tbs, parsed.signature));
    });
  }

  it('Wycheproof: DER signatures are read exactly as strictly as DER is, and verify', () => {
    let verified = 0;
    for (const { id, kind, inputs, expected } of vectors) {
      if (kind !== 'ecdsa-p256') continue;
      const [sig, point, message] = [inputs.sig, inputs.publicKey, inputs.msg].map((text) =>
        fromHex(text ?? ''),
      ) as [Bytes, Bytes, Bytes];
      const raw = inputs.format === 'der' ? rawOf(sig) : sig;
      const own = raw !== null && nodeCrypto.verifyP256(point, message, raw);
      assert.equal(own, String(expected.valid) === 'true', id);
      if (own && inputs.format === 'der') {
        assert.equal(toHex(signatureToDer(raw)), toHex(sig), id);
        verified++;
      }
    }
    assert.ok(verified > 0);
  });
});

/** Null where the bytes are not the DER of a P-256 signature. */
function rawOf(bytes: Bytes): Bytes | null {
  try {
    return signatureFromDer(bytes);
  } catch (error) {
    assert.ok(error instanceof RangeError);
    return null;
  }
}
