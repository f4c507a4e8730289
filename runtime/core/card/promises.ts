/** What the card profile of a ticket promises of every unit under it, and whether a confirmation says as much. */
import { type Confirmation, negativeControls } from '../messages/receipts.ts';
import { type CardProfile, dekProofs } from './profile.ts';

/** The weakest negative control that goes with a proof of Key-DEK. */
const CONTROL_OF = {
  'scratch-set': 'absent-from-template',
  statistical: 'statistical',
  'not-provable': 'not-provable',
} as const;

/** The first promise that is not kept, as words; null where all are. A stronger proof than promised is welcome. */
export function brokenPromise(
  { proofs, certificate }: Pick<Confirmation, 'proofs' | 'certificate'>,
  { proof, identity, keyPair }: CardProfile,
): string | null {
  const { promised } = proof;
  if (dekProofs.indexOf(proofs.dek) > dekProofs.indexOf(promised))
    return `Key-DEK is ${proofs.dek}, and the card profile promises ${promised}`;
  const control = CONTROL_OF[promised];
  if (negativeControls.indexOf(proofs.negativeControl) > negativeControls.indexOf(control))
    return `the negative control is ${proofs.negativeControl}, and the card profile promises ${control}`;
  if (identity === 'under-mac' && proofs.identity !== 'under-mac')
    return 'the identity is unauthenticated, and the card profile promises it under R-MAC';
  if ('absent' in certificate !== (keyPair.kind === 'none'))
    return keyPair.kind === 'none'
      ? 'there is a certificate, and the card profile has no key pair'
      : 'there is no certificate, and the card profile promises one';
  return null;
}
