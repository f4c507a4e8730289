/**
 * What a rejection does to an operation. A unit leaves by the reject lane on what it claims to be; the operation of
 * that name is closed only where the gateway's verdict is about it, so that no liar takes the place of another unit.
 */
import type { FaultCode } from '../faults.ts';
import type { Verdict } from '../messages/receipts.ts';
import type { OperationRow } from '../store/fleet.ts';

/**
 * `closes`: the operation is rejected and keeps its EID and its chip for ever.
 * `disowns`: it is rejected and gives both back: nothing was proved of them, and no key was ever sent.
 * `leaves`: the operation stays as it is, because the rejected chip may be another than the one it is about.
 */
export type RejectionEffect = 'closes' | 'disowns' | 'leaves';

/** The gateway says these before the chip has proved that it is who it claims to be, or because it has not. */
const UNPROVED: readonly FaultCode[] = ['CARD_NOT_OURS', 'CARD_IDENTITY_MISMATCH'];
/** The same in a resume, where the first session is under the fleet's own keys. Later in a session it says it too. */
const PERHAPS_UNPROVED: readonly FaultCode[] = [...UNPROVED, 'CARD_KEYS_NOT_PROVED'];

/**
 * @param operation the one that the verdict names, in the epoch that it names; null without a verdict
 *
 * A verdict lists what its own dialogue touched. Earlier epochs may have touched more, by the hand of the genuine
 * chip: so only an operation in its first epoch is given back, and one in a later epoch is not closed by a chip that
 * proved nothing.
 */
export function rejectionEffect(
  judged: Pick<Verdict, 'fault' | 'keyVersionsTouched' | 'certificateSerials'> | null,
  operation: Pick<OperationRow, 'epoch' | 'state'> | null,
): RejectionEffect {
  if (judged === null || operation === null) return 'leaves';
  const { code } = judged.fault;
  const untouched = judged.keyVersionsTouched.length === 0 && judged.certificateSerials.length === 0;
  if (!untouched || !PERHAPS_UNPROVED.includes(code)) return 'closes';
  if (operation.epoch > 1 || operation.state !== 'reserved') return 'leaves';
  return UNPROVED.includes(code) ? 'disowns' : 'closes';
}
