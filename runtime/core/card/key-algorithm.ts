/** Kinds of card keys. AES-192 is not offered: such a key would end in the middle of a derivation block. */

export const keyAlgorithms = ['aes-128', 'aes-256'] as const;
/** Of the three keys of a set, and so of every session key that is made from them. Amendment D section 6.1. */
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** Length in bits, as L of a derivation. Amendment D section 4.1.5. */
export function keyBitsOf(algorithm: KeyAlgorithm): 128 | 256 {
  return algorithm === 'aes-128' ? 128 : 256;
}

/** Blocks that a derivation has to join for such a key. */
export function keyBlocksOf(algorithm: KeyAlgorithm): 1 | 2 {
  return algorithm === 'aes-128' ? 1 : 2;
}
