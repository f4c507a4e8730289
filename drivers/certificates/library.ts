/**
 * @peculiar/x509 with every signature diverted to a Signer: the library composes, a key that it never sees signs.
 */
import { webcrypto } from 'node:crypto';
import type { Bytes } from '../../runtime/core/bytes.ts';
import type { CaAlgorithm } from '../../runtime/core/pki/algorithm.ts';

/** Signs a message that the library has composed: r || s. */
export type SignMessage = (message: Bytes) => Promise<Bytes>;

export type Library = Awaited<ReturnType<typeof loadLibrary>>;

/** Loads the library; its decorators need reflect-metadata first. */
export async function loadLibrary() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Algorithm of every signature and key here. */
export const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;
const curves = { es256: 'P-256', es384: 'P-384' } as const;

/** What the library takes for a private key; it only carries the way to the real one. */
interface DivertedKey extends CryptoKeyShape {
  readonly sign: SignMessage;
}
interface CryptoKeyShape {
  readonly type: 'private';
  readonly extractable: false;
  readonly usages: ['sign'];
  readonly algorithm: { readonly name: 'ECDSA'; readonly namedCurve: 'P-256' | 'P-384' };
}

export function divertedKey(sign: SignMessage, of: CaAlgorithm = 'es256'): DivertedKey {
  const algorithm = { name: 'ECDSA', namedCurve: curves[of] } as const;
  return { type: 'private', extractable: false, usages: ['sign'], algorithm, sign };
}

/** Node's WebCrypto, but a diverted key signs by its own function. Passed to every call of the library. */
export function divertedCrypto(): webcrypto.Crypto {
  const { subtle } = webcrypto;
  const diverted = new Proxy(subtle, {
    get: (target, name) => {
      if (name === 'sign') return signDiverted;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return {
    subtle: diverted,
    getRandomValues: (array: never) => webcrypto.getRandomValues(array),
    randomUUID: () => webcrypto.randomUUID(),
  } as unknown as webcrypto.Crypto;
}

async function signDiverted(
  algorithm: { readonly hash?: string | { readonly name: string } },
  key: DivertedKey,
  data: ArrayBuffer | ArrayBufferView,
): Promise<ArrayBuffer> {
  const hash = typeof algorithm.hash === 'object' ? algorithm.hash.name : algorithm.hash;
  if (hash !== (key.algorithm.namedCurve === 'P-384' ? 'SHA-384' : 'SHA-256'))
    throw new RangeError('another hash than that of the key');
  const message = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return new Uint8Array(await key.sign(message.slice())).slice().buffer;
}
