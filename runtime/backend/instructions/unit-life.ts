/** What the command line may ask of the backend about the life of a unit: an order, and its execution. */
import type { BackendConfig } from '../../../config/backend.ts';
import { instantOf } from '../../core/instant.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { executeLifeInstruction, planLifeInstruction } from '../../core/messages/unit-life.ts';
import type { BackendPorts } from '../ports.ts';
import type { Sequencer } from '../sequencer.ts';
import { executeLife, planLife } from '../unit-life.ts';

export function lifeInstructions(
  config: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
): readonly InstructionHandler[] {
  return [
    instructionHandler(planLifeInstruction, (asked) =>
      ports.store.transaction((tx) => planLife(tx, asked, instantOf(ports.clock.now()))),
    ),
    instructionHandler(executeLifeInstruction, ({ order, approvals }) =>
      executeLife(order, approvals, config, ports, sequencer),
    ),
  ];
}
