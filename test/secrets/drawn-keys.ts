/** A spy on the keys that the programs of a plant draw for their dialogues and messages: nobody else ever has them. */
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { AgreementKey, Crypto } from '../../runtime/core/ports.ts';

export interface DrawnKeys {
  /** For the programs to calculate with. */
  readonly crypto: Crypto;
  /** Every scalar so far, 32 bytes each. */
  readonly scalars: Uint8Array[];
}

export function watchDrawnKeys(): DrawnKeys {
  const scalars: Uint8Array[] = [];
  const drawAgreementKey: Crypto['drawAgreementKey'] = (entropy) => {
    let scalar = new Uint8Array(0);
    const key = nodeCrypto.drawAgreementKey({
      bytes: (count) => {
        const bytes = entropy.bytes(count);
        scalar = Uint8Array.from(bytes);
        return bytes;
      },
    });
    scalars.push(scalar);
    return key;
  };
  return { crypto: { ...nodeCrypto, drawAgreementKey }, scalars };
}

/** The key of a scalar that somebody got hold of. */
export function agreementKeyOf(scalar: Uint8Array): AgreementKey {
  return nodeCrypto.drawAgreementKey({ bytes: () => Uint8Array.from(scalar) });
}
