/** What the commands of orders ask of the world. */
import type { z } from 'zod';
import type { Instruction } from '../../core/messages/instruction.ts';
import type { Signer } from '../../core/ports.ts';

export interface TicketMeans {
  /** A P-256 key in a file that nobody else may read. @throws Fault FILE_UNREADABLE */
  openSigner(path: string): Promise<Signer>;
  /** @throws Fault INSTRUCTION_UNREACHABLE, INSTRUCTION_REFUSED, or what the program answers with */
  instruct<Body extends z.ZodType, Answer extends z.ZodType>(
    socket: string,
    of: Instruction<Body, Answer>,
    body: z.input<Body>,
  ): Promise<z.output<Answer>>;
}
