/**
 * What a rejection does to an operation. A unit leaves by the reject lane on what it claims to be; the operation of
 * that name is closed only where the gateway's verdict is about it, so that no liar takes the place of another unit.
 */
import type { Verdict } from '../messages/receipts.ts';
import type { OperationRow } from '../store/fleet.ts';

/**
 * `closes`: the operation is rejected and keeps its EID and its chip for ever.
 * `disowns`: it is rejected and gives both back: nothing was proved of them, and no key was ever sent.
 * `leaves`: the operation stays as it is, because the rejected chip may be another than the one it is about.
 */
export type RejectionEffect = 'closes' | 'disowns' | 'leaves';

/**
 * @param operation the one that the verdict names, in the epoch that it names; null without a verdict
 *
 * A chip that proved who it is closes its operation. One that did not may be another chip: it is given what it
 * claimed only where nobody else can have had a part in it, in the first epoch, before any key was sent.
 */
export function rejectionEffect(
  judged: Pick<Verdict, 'identityProved' | 'keyVersionsTouched' | 'certificateSerials'> | null,
  operation: Pick<OperationRow, 'epoch' | 'state'> | null,
): RejectionEffect {
  if (judged === null || operation === null) return 'leaves';
  if (judged.identityProved) return 'closes';
  const untouched = judged.keyVersionsTouched.length === 0 && judged.certificateSerials.length === 0;
  return untouched && operation.epoch === 1 && operation.state === 'reserved' ? 'disowns' : 'leaves';
}
