/** The instruction door of a simulated program: the same lines, without a socket. */
import type { z } from 'zod';
import { Fault } from '../../runtime/core/faults.ts';
import {
  type Instruction,
  type InstructionHandler,
  instructionLine,
  readInstructionAnswer,
} from '../../runtime/core/messages/instruction.ts';
import type { InstructionDoor } from '../../runtime/core/ports.ts';
import { answerInstruction } from './answer.ts';

export interface InMemoryInstructionDoor extends InstructionDoor {
  /** @throws Fault INSTRUCTION_UNREACHABLE, INSTRUCTION_REFUSED, or the fault that the program answers with */
  instruct<Body extends z.ZodType, Answer extends z.ZodType>(
    of: Instruction<Body, Answer>,
    body: z.input<Body>,
  ): Promise<z.output<Answer>>;
}

export function createInMemoryInstructionDoor(): InMemoryInstructionDoor {
  let served: readonly InstructionHandler[] | null = null;
  return {
    serve: (handlers) => {
      served = handlers;
      return Promise.resolve();
    },
    close: () => {
      served = null;
      return Promise.resolve();
    },
    instruct: async (of, body) => {
      if (served === null)
        throw new Fault('INSTRUCTION_UNREACHABLE', { program: of.to, why: 'it does not run' });
      return readInstructionAnswer(of, await answerInstruction(instructionLine(of, body), served));
    },
  };
}
