/** What a program answers to the line of an instruction, whichever way it came. */
import { canonicalJson, type Json } from '../../runtime/core/canonical-json.ts';
import { asFault, noteOf } from '../../runtime/core/faults.ts';
import { type InstructionHandler, readInstruction } from '../../runtime/core/messages/instruction.ts';

/** Never rejects: a failure is an answer too. */
export async function answerInstruction(
  line: string,
  handlers: readonly InstructionHandler[],
): Promise<string> {
  try {
    const { handler, body } = readInstruction(line, handlers);
    return canonicalJson({ answer: (await handler.handle(body)) as Json });
  } catch (error) {
    const { code, context } = noteOf(asFault(error, 'UNEXPECTED'));
    return canonicalJson({ fault: { code, context: { ...context } } });
  }
}
