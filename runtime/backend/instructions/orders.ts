/** What the backend does about orders when it is instructed: it compares the counts of a ticket, and closes it. */
import type { BackendConfig } from '../../../config/backend.ts';
import { closeTicketInstruction } from '../../core/messages/close-out.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { closeTicket } from '../close-out.ts';
import type { BackendPorts } from '../ports.ts';
import type { Sequencer } from '../sequencer.ts';

export function orderInstructions(
  config: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
): readonly InstructionHandler[] {
  return [
    instructionHandler(closeTicketInstruction, (asked) => closeTicket(asked, config, ports, sequencer)),
  ];
}
