/**
 * TBSCertificates of devices through @peculiar/x509: the independent second builder that the pure one is held to,
 * byte for byte.
 */
import type { Bytes } from '../../runtime/core/bytes.ts';
import type { CertificateIntent, Certificates } from '../../runtime/core/pki/profile.ts';
import { p256Spki } from '../crypto/node.ts';
import { divertedCrypto, divertedKey, type Library, loadLibrary } from './library.ts';

/** serialNumber of X.520. */
const SERIAL_NUMBER = '2.5.4.5';
const SUBJECT_ALT_NAME = '2.5.29.17';
/** Stands where a signature will be: the library insists on one before it gives the TBS away. */
const NO_SIGNATURE = { es256: new Uint8Array(64).fill(1), es384: new Uint8Array(96).fill(1) } as const;

/** The signature is captured, not made: the bytes to be signed exist before any key is asked. */
export async function openPeculiarCertificates(): Promise<Certificates> {
  const x509 = await loadLibrary();
  const crypto = divertedCrypto();
  return {
    toBeSigned: async (intent) => {
      const algorithm = intent.issuer.algorithm ?? 'es256';
      const captured: Bytes[] = [];
      const signingKey = divertedKey(async (message) => {
        captured.push(message);
        return NO_SIGNATURE[algorithm];
      }, algorithm);
      await x509.X509CertificateGenerator.create(
        {
          serialNumber: Buffer.from(intent.serial).toString('hex'),
          subject: new x509.Name(subjectOf(intent)),
          issuer: new x509.Name(new Uint8Array(intent.issuer.name)),
          notBefore: new Date(intent.notBeforeMs),
          notAfter: new Date(intent.notAfterMs),
          publicKey: new x509.PublicKey(p256Spki(intent.publicKey)),
          signingKey,
          signingAlgorithm: { name: 'ECDSA', hash: algorithm === 'es384' ? 'SHA-384' : 'SHA-256' },
          extensions: extensionsOf(x509, intent),
        },
        crypto,
      );
      const [tbs] = captured;
      if (tbs === undefined) throw new RangeError('the library did not sign');
      return tbs;
    },
  };
}

/** The library knows neither hardwareModuleName nor our own extension: their DER is written out here. */
function extensionsOf(x509: Library, intent: CertificateIntent) {
  const { identifiers, eid, manufacturing, issuer } = intent;
  const { subjectKeyIdentifier: keyId, distributionPoint: url } = intent;
  return [
    ...(intent.profile === 'idevid-full' ? [new x509.BasicConstraintsExtension(false, undefined, true)] : []),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    ...(keyId == null ? [] : [new x509.SubjectKeyIdentifierExtension(Buffer.from(keyId).toString('hex'))]),
    new x509.AuthorityKeyIdentifierExtension(Buffer.from(issuer.keyIdentifier).toString('hex'), false),
    new x509.Extension(SUBJECT_ALT_NAME, false, hardwareModuleName(identifiers.hardwareType, eid)),
    ...(manufacturing === null
      ? []
      : [
          new x509.Extension(
            identifiers.manufacturing,
            false,
            tlv(
              0x30,
              tlv(0x0c, Buffer.from(manufacturing.batch)),
              tlv(0x18, Buffer.from(digits(manufacturing.manufacturedAtMs))),
              ...(manufacturing.product == null ? [] : [tlv(0x80, Buffer.from(manufacturing.product))]),
              ...(manufacturing.region == null ? [] : [tlv(0x81, Buffer.from(manufacturing.region))]),
            ),
          ),
        ]),
    ...(url == null ? [] : [new x509.CRLDistributionPointsExtension([url])]),
  ];
}

/** O and CN by profile, then the serialNumber. */
function subjectOf({ eid, names }: CertificateIntent) {
  const serialNumber = { [SERIAL_NUMBER]: [{ printableString: eid }] };
  if (names == null) return [serialNumber];
  const text = (type: string, value: string) => ({ [type]: [{ utf8String: value }] });
  return [text('2.5.4.10', names.organization), text('2.5.4.3', names.commonName), serialNumber];
}

/** RFC 4108 section 5. */
function hardwareModuleName(hardwareType: string, eid: string): Buffer {
  const module = tlv(0x30, objectIdentifier(hardwareType), tlv(0x04, Buffer.from(eid, 'hex')));
  return tlv(0x30, tlv(0xa0, Buffer.from('06082b06010505070804', 'hex'), tlv(0xa0, module)));
}

/** 2026-01-02T03:04:05.000Z as 20260102030405Z. */
function digits(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 0x80
      ? Buffer.of(body.length)
      : body.length < 0x100
        ? Buffer.of(0x81, body.length)
        : Buffer.of(0x82, body.length >> 8, body.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, body]);
}

function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((arc) => {
    const groups = [
      ...arc
        .toString(2)
        .padStart(Math.ceil(arc.toString(2).length / 7) * 7, '0')
        .matchAll(/.{7}/g),
    ];
    return groups.map(([bits], i) => Number.parseInt(bits, 2) | (i < groups.length - 1 ? 0x80 : 0));
  });
  return tlv(0x06, Buffer.from(bytes));
}
