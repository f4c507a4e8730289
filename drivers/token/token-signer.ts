import type { Signer } from '../../runtime/core/ports.ts';
import type { Token } from '../../runtime/core/token.ts';

/** A named key of a token as a Signer, for whoever needs only that one. */
export async function signerOf(token: Token, key: string): Promise<Signer> {
  return { publicKey: await token.publicKey(key), sign: (message) => token.sign(key, message) };
}
