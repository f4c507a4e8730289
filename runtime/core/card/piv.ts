/**
 * The commands of a PIV-shaped applet that give a unit its key pair and certificate.
 *
 * @see NIST SP 800-73-4 part 2
 */
import { type Bytes, concat, fromHex } from '../bytes.ts';
import { Fault } from '../faults.ts';
import { CHAIN_BYTES_MAX, type Command } from './apdu.ts';
import type { KeyPairCodec } from './key-pair.ts';
import { encodeTlv, tlvAt } from './tlv.ts';

export interface PivKeyPair {
  readonly kind: 'piv';
  readonly applet: Bytes;
  /** Of the device key pair, and the object of its certificate. */
  readonly slot: number;
  readonly certificateObject: string;
  /** Long commands: each frame protected by itself, or the whole command, which is cut into frames then. */
  readonly chaining: 'unwrap-each-frame' | 'protect-then-chain';
}

export function pivCodec(
  { applet, slot, certificateObject, chaining }: PivKeyPair,
  bytesMax: number,
): KeyPairCodec {
  return {
    applet,
    generate: [generateKeyPair(slot)],
    publicKeyIn: decodePublicKey,
    sign: (digest) => signDigest(slot, digest),
    signatureIn: decodeSignature,
    store: (certificate) => {
      const content = certificateContent(certificate);
      return {
        clear: [],
        write:
          chaining === 'unwrap-each-frame'
            ? putObject(certificateObject, content, bytesMax)
            : putObject(certificateObject, content, CHAIN_BYTES_MAX).map((one) => ({ ...one, whole: true })),
        read: [getObject(certificateObject)],
        certificateIn: ([answer = new Uint8Array(0)]) => decodeCertificate(answer),
      };
    },
  };
}

/** Mechanism P-256. SP 800-78-4 table 6-2. */
const P256 = 0x11;

export function generateKeyPair(slot: number): Command {
  return {
    cla: 0x00,
    ins: 0x47,
    p1: 0x00,
    p2: slot,
    data: encodeTlv('AC', encodeTlv('80', Uint8Array.of(P256))),
    expected: 0,
  };
}

/** The 65-byte point in the answer. @throws Fault CARD_ANSWER_MALFORMED */
export function decodePublicKey(answer: Bytes): Bytes {
  const point = tlvAt(answer, '7F49', '86');
  if (point.length !== 65 || point[0] !== 0x04)
    throw new Fault('CARD_ANSWER_MALFORMED', { object: 'public key is no uncompressed P-256 point' });
  return point;
}

/** Signs a 32-byte digest with the key of a slot. */
export function signDigest(slot: number, digest: Bytes): Command {
  return {
    cla: 0x00,
    ins: 0x87,
    p1: P256,
    p2: slot,
    data: encodeTlv('7C', encodeTlv('82'), encodeTlv('81', digest)),
    expected: 0,
  };
}

/** The signature in the answer: DER, ECDSA-Sig-Value. @throws Fault CARD_ANSWER_MALFORMED */
export function decodeSignature(answer: Bytes): Bytes {
  return tlvAt(answer, '7C', '82');
}

/** Writes an object, in frames of at most `bytesMax` plain bytes chained by CLA bit 5. */
export function putObject(object: string, content: Bytes, bytesMax: number): readonly Command[] {
  const data = concat(encodeTlv('5C', fromHex(object)), encodeTlv('53', content));
  const count = Math.ceil(data.length / bytesMax);
  return Array.from({ length: count }, (_, i) => ({
    cla: i === count - 1 ? 0x00 : 0x10,
    ins: 0xdb,
    p1: 0x3f,
    p2: 0xff,
    data: data.subarray(i * bytesMax, (i + 1) * bytesMax),
  }));
}

export function getObject(object: string): Command {
  return { cla: 0x00, ins: 0xcb, p1: 0x3f, p2: 0xff, data: encodeTlv('5C', fromHex(object)), expected: 0 };
}

/** Certificate object: `70 DER | 71 00 | FE`. SP 800-73-4 part 1 appendix A. */
export function certificateContent(der: Bytes): Bytes {
  return concat(encodeTlv('70', der), encodeTlv('71', Uint8Array.of(0)), encodeTlv('FE'));
}

/** The certificate in the answer to `getObject`. @throws Fault CARD_ANSWER_MALFORMED */
export function decodeCertificate(answer: Bytes): Bytes {
  return tlvAt(answer, '53', '70');
}
