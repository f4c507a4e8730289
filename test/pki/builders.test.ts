import assert from 'node:assert/strict';
import { createECDH } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { openPeculiarCertificates } from '../../drivers/certificates/peculiar.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { parseTbs } from '../../runtime/core/pki/certificate.ts';
import {
  integer,
  oid,
  read,
  readInteger,
  readOid,
  sequence,
  set,
  utf8String,
} from '../../runtime/core/pki/der.ts';
import {
  type CertificateIntent,
  deviceProfiles,
  documentationIdentifiers,
  profileNames,
  serialFrom,
} from '../../runtime/core/pki/profile.ts';
import { derCertificates, toBeSigned } from '../../runtime/core/pki/tbs.ts';
import { FAR_DATE_MS, generalizedTime, readTime, timeOf } from '../../runtime/core/pki/time.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** Whole seconds from 1950 to 9999. */
const seconds = fc.integer({ min: -631_152_000, max: FAR_DATE_MS / 1000 }).map((at) => at * 1000);
const point = bytes(32).map((secret) => {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(Buffer.from([...secret.slice(0, 31), 1]));
  return new Uint8Array(curve.getPublicKey());
});
const word = fc.stringMatching(/^[A-Z0-9-]{1,40}$/);
const made = { batch: word, manufacturedAtMs: seconds };
const manufacturing = fc.oneof(
  fc.record(made, { noNullPrototype: true }),
  fc.record({ ...made, product: word, region: word }, { noNullPrototype: true }),
);
const intents: fc.Arbitrary<CertificateIntent> = fc
  .record({
    serial: bytes(16).map(serialFrom),
    commonName: fc.stringMatching(/^[A-Za-z0-9 .äöü€-]{1,90}$/),
    keyIdentifier: bytes(20),
    algorithm: fc.constantFrom('es256' as const, 'es384' as const),
    eid: fc.stringMatching(/^[0-9]{32}$/),
    publicKey: point,
    notBeforeMs: seconds,
    notAfterMs: fc.oneof(fc.constant(FAR_DATE_MS), seconds),
    manufacturing,
    profile: fc.constantFrom(...profileNames),
    url: fc.stringMatching(/^[a-z0-9./-]{1,90}$/).map((path) => `http://${path}`),
    organization: fc.stringMatching(/^[A-Za-zäöü€ ]{1,40}$/),
  })
  .map(({ commonName, keyIdentifier, algorithm, url, organization, ...rest }) => {
    const parts = deviceProfiles[rest.profile];
    return {
      ...rest,
      manufacturing: parts.manufacturing ? rest.manufacturing : null,
      distributionPoint: parts.distributionPoint ? url : null,
      subjectKeyIdentifier: parts.subjectKeyIdentifier ? keyIdentifier.map((byte) => byte ^ 1) : null,
      names: parts.names ? { organization, commonName } : null,
      issuer: {
        name: sequence(set(sequence(oid('2.5.4.3'), utf8String(commonName)))),
        keyIdentifier,
        algorithm,
      },
      identifiers: documentationIdentifiers,
    };
  });

describe('device certificates', () => {
  it('the pure builder and @peculiar/x509 give the same TBS byte for byte', async () => {
    const library = await openPeculiarCertificates();
    await fc.assert(
      fc.asyncProperty(intents, async (intent) => {
        const [own, other] = [await derCertificates.toBeSigned(intent), await library.toBeSigned(intent)];
        assert.equal(toHex(own), toHex(other));
      }),
      { numRuns: 60 },
    );
  });

  it('reads back exactly the intent', () => {
    fc.assert(
      fc.property(intents, (intent) => {
        const parsed = parseTbs(toBeSigned(intent), documentationIdentifiers);
        assert.equal(toHex(parsed.serial), toHex(intent.serial));
        assert.equal(parsed.subjectSerialNumber, intent.eid);
        assert.equal(toHex(parsed.hardwareModule?.serial ?? new Uint8Array(0)), intent.eid);
        assert.equal(toHex(parsed.publicKey), toHex(intent.publicKey));
        assert.equal(toHex(parsed.issuerName), toHex(intent.issuer.name));
        assert.deepEqual([parsed.notBeforeMs, parsed.notAfterMs], [intent.notBeforeMs, intent.notAfterMs]);
        assert.deepEqual(parsed.manufacturing, intent.manufacturing);
      }),
    );
  });

  it('cut or lengthened by a byte it is no certificate, and any other damage is read or refused, never worse', () => {
    fc.assert(
      fc.property(intents, fc.nat(), fc.integer({ min: 1, max: 255 }), (intent, place, change) => {
        const tbs = toBeSigned(intent);
        assert.throws(() => parseTbs(tbs.subarray(0, -1), documentationIdentifiers), RangeError);
        assert.throws(
          () => parseTbs(Buffer.concat([tbs, Buffer.of(0)]), documentationIdentifiers),
          RangeError,
        );
        const changed = tbs.map((byte, i) => (i === place % tbs.length ? byte ^ change : byte));
        try {
          parseTbs(changed, documentationIdentifiers);
        } catch (error) {
          assert.ok(error instanceof RangeError); // Nothing but the reader's own refusal.
        }
      }),
    );
  });
});

describe('DER', () => {
  it('reads what it writes, minimal and unsigned', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (value) => {
        const digits = toHex(value).replace(/^(?:00)+(?=..)/, '');
        assert.equal(toHex(readInteger(read(integer(value)))), digits);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (arcs) => {
        const dotted = ['1.3', ...arcs].join('.');
        assert.equal(readOid(read(oid(dotted))), dotted);
      }),
    );
  });

  for (const [form, text] of [
    ['a long length that fits a short one', '048101aa'],
    ['a length with a leading zero', '04820001aa'],
    ['an indefinite length', '0480aa0000'],
    ['a long tag', '1f8101aa'],
    ['a value that is cut', '0402aa'],
    ['trailing bytes', '0401aa00'],
  ] as const)
    it(`refuses ${form}`, () => {
      assert.throws(() => read(Buffer.from(text, 'hex')), RangeError);
    });

  it('refuses integers that are negative or not minimal', () => {
    for (const text of ['0200', '020180', '0202007f'])
      assert.throws(() => readInteger(read(Buffer.from(text, 'hex'))), RangeError);
  });
});

describe('times of certificates', () => {
  it('RFC 5280 section 4.1.2.5: agrees with the calendar of JavaScript from 1950 to 9999', () => {
    fc.assert(
      fc.property(seconds, (at) => {
        const iso = new Date(at).toISOString();
        const text = `${iso.slice(0, 19).replace(/[-:T]/g, '')}Z`;
        const node = read(timeOf(at));
        const year = new Date(at).getUTCFullYear();
        assert.equal(Buffer.from(node.content).toString(), year < 2050 ? text.slice(2) : text);
        assert.equal(Buffer.from(read(generalizedTime(at)).content).toString(), text);
        assert.equal(readTime(node), at);
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses days that are not in the calendar', () => {
    for (const text of ['20230229000000Z', '20231301000000Z', '20230101240000Z', '2023010100000Z'])
      assert.throws(
        () => readTime({ tag: 0x18, content: Buffer.from(text), whole: new Uint8Array(0) }),
        RangeError,
      );
  });
});
