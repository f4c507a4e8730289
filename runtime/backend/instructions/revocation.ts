/** What the command line may ask of the backend about revocation: a plan, its execution, the trust list. */
import type { BackendConfig } from '../../../config/backend.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import {
  executeRevocationInstruction,
  planRevocationInstruction,
  trustListInstruction,
} from '../../core/messages/revocation.ts';
import type { BackendPorts } from '../ports.ts';
import { executeRevocation } from '../revocation.ts';
import { planRevocation } from '../revocation-facts.ts';
import type { Sequencer } from '../sequencer.ts';

export type RevocationSettings = NonNullable<BackendConfig['revocation']>;

export function revocationInstructions(
  config: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
): readonly InstructionHandler[] {
  const settings = (): RevocationSettings => {
    if (config.revocation === null)
      throw new Fault('REVOCATION_REFUSED', { why: 'no officers are named in the settings of the backend' });
    return config.revocation;
  };
  return [
    instructionHandler(planRevocationInstruction, (asked) =>
      ports.store.transaction((tx) =>
        planRevocation(tx, { ...asked, madeAt: instantOf(ports.clock.now()) }, settings()),
      ),
    ),
    instructionHandler(executeRevocationInstruction, ({ plan, approvals }) =>
      executeRevocation(plan, approvals, { settings: settings(), ports, sequencer }),
    ),
    instructionHandler(trustListInstruction, () =>
      ports.store.transaction(async (tx) => ({ trustList: (await tx.newestTrustList())?.jws ?? null })),
    ),
  ];
}
