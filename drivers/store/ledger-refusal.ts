/** Why the ledger refuses, the same in both. */
import { Fault } from '../../runtime/core/faults.ts';

/** Context of CERTIFICATE_REFUSED. */
export const ledgerRefusal = {
  publicKey: { why: 'the public key belongs to another EID' },
  serial: { why: 'the serial number is in use' },
} as const;

/** The unit is worked on in a newer epoch: whoever still holds the older one stops. */
export function staleEpoch({
  operation,
  epoch,
}: {
  readonly operation: string;
  readonly epoch: number;
}): Fault {
  return new Fault('RESERVATION_STALE', { operation, epoch, why: 'a newer epoch is known' });
}
