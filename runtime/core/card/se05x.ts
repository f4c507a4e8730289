/**
 * The commands of an SE05x-shaped applet that give a unit its key pair and certificate.
 *
 * Limits: from public code, not from the text; no policies, so that the objects are under the applet's default ones.
 *
 * @see NXP AN12413 (SE05x APDU specification)
 */
import { type Bytes, bigEndian, concat } from '../bytes.ts';
import { Fault } from '../faults.ts';
import type { Command } from './apdu.ts';
import type { KeyPairCodec } from './key-pair.ts';
import { encodeTlv, tlvAt } from './tlv.ts';

export interface Se05xKeyPair {
  readonly kind: 'se05x';
  readonly applet: Bytes;
  /** Object identifiers, 4 bytes each. */
  readonly keyObject: number;
  readonly certificateObject: number;
}

const Instruction = { write: 0x01, read: 0x02, crypto: 0x03, manage: 0x04 } as const;
/** P1: a key pair on a curve, a binary file, a signature. */
const KEY_PAIR = 0x61;
const BINARY = 0x06;
const SIGNATURE = 0x0c;
/** P2. */
const SIGN = 0x09;
const DELETE = 0x28;
/** Curve NIST P-256. */
const P256 = 0x03;
/** ECDSA over a SHA-256 digest. */
const ECDSA_SHA_256 = 0x21;
/** Room for identifier, offset, length and the head of the data in one command. */
const WRITE_HEAD_BYTES = 24;

export function se05xCodec(
  { applet, keyObject, certificateObject }: Se05xKeyPair,
  bytesMax: number,
): KeyPairCodec {
  const key = identifier(keyObject);
  const file = identifier(certificateObject);
  const partBytes = bytesMax - WRITE_HEAD_BYTES;
  return {
    applet,
    generate: [
      command(Instruction.write, KEY_PAIR, 0x00, key, encodeTlv('42', Uint8Array.of(P256))),
      asking(Instruction.read, 0x00, 0x00, key),
    ],
    publicKeyIn: (answer) => {
      const point = tlvAt(answer, '41');
      if (point.length !== 65 || point[0] !== 0x04)
        throw new Fault('CARD_ANSWER_MALFORMED', { object: 'public key is no uncompressed P-256 point' });
      return point;
    },
    sign: (digest) =>
      asking(
        Instruction.crypto,
        SIGNATURE,
        SIGN,
        key,
        encodeTlv('42', Uint8Array.of(ECDSA_SHA_256)),
        encodeTlv('43', digest),
      ),
    signatureIn: (answer) => tlvAt(answer, '41'),
    store: (certificate) => {
      const parts = Array.from({ length: Math.ceil(certificate.length / partBytes) }, (_, i) => ({
        offset: i * partBytes,
        data: certificate.subarray(i * partBytes, (i + 1) * partBytes),
      }));
      return {
        // A file keeps the length that it was made with.
        clear: [command(Instruction.manage, 0x00, DELETE, file)],
        write: parts.map(({ offset, data }) =>
          command(
            Instruction.write,
            BINARY,
            0x00,
            file,
            encodeTlv('42', bigEndian(offset, 2)),
            ...(offset === 0 ? [encodeTlv('43', bigEndian(certificate.length, 2))] : []),
            encodeTlv('44', data),
          ),
        ),
        read: parts.map(({ offset, data }) =>
          asking(
            Instruction.read,
            0x00,
            0x00,
            file,
            encodeTlv('42', bigEndian(offset, 2)),
            encodeTlv('43', bigEndian(data.length, 2)),
          ),
        ),
        certificateIn: (answers) => concat(...answers.map((answer) => tlvAt(answer, '41'))),
      };
    },
  };
}

function identifier(object: number): Bytes {
  return encodeTlv('41', bigEndian(object, 4));
}

function command(ins: number, p1: number, p2: number, ...tlvs: readonly Bytes[]): Command {
  return { cla: 0x80, ins, p1, p2, data: concat(...tlvs) };
}

function asking(ins: number, p1: number, p2: number, ...tlvs: readonly Bytes[]): Command {
  return { ...command(ins, p1, p2, ...tlvs), expected: 0 };
}
