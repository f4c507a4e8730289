/**
 * Instructions: what the command line tells a gateway, a backend or a station on the machine where that program runs.
 * They are one JSON line each way; who may be obeyed is judged by the handler, from signatures in the body.
 */
import { z } from 'zod';
import { canonicalJson, type Json } from '../canonical-json.ts';
import { Fault } from '../faults.ts';
import { faultNote } from './fields.ts';

/** Longest line either way, in characters: a CRL of a hundred thousand entries fits. */
export const INSTRUCTION_LENGTH_MAX = 33_554_432;

export interface Instruction<Body extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly to: 'gateway' | 'backend' | 'station';
  readonly body: Body;
  readonly answer: Answer;
}

export function instruction<Body extends z.ZodType, Answer extends z.ZodType>(
  of: Instruction<Body, Answer>,
): Instruction<Body, Answer> {
  return of;
}

/** An instruction and what a program does when it is given; made by `instructionHandler`. */
export interface InstructionHandler {
  readonly instruction: Instruction;
  readonly handle: (body: unknown) => Promise<unknown>;
}

/** `act` gets a body that was checked; what it throws goes back as a fault. */
export function instructionHandler<Body extends z.ZodType, Answer extends z.ZodType>(
  of: Instruction<Body, Answer>,
  act: (body: z.output<Body>) => Promise<z.input<Answer>>,
): InstructionHandler {
  return { instruction: of, handle: (body) => act(body as z.output<Body>) };
}

const callForm = z.strictObject({ instruction: z.string().max(64), body: z.unknown() });
const answerForm = z.union([z.strictObject({ answer: z.unknown() }), z.strictObject({ fault: faultNote })]);

/** One instruction as its line, without the line feed. */
export function instructionLine<Body extends z.ZodType>(of: Instruction<Body>, body: z.input<Body>): string {
  return canonicalJson({ instruction: of.name, body: body as Json });
}

/** @throws Fault INSTRUCTION_REFUSED, or the fault that the program answered with */
export function readInstructionAnswer<Answer extends z.ZodType>(
  of: Instruction<z.ZodType, Answer>,
  line: string,
): z.output<Answer> {
  const parsed = answerForm.safeParse(parsedJson(line));
  if (!parsed.success) throw refused(of.name, 'the answer is not understood');
  if ('fault' in parsed.data) throw new Fault(parsed.data.fault.code, parsed.data.fault.context);
  const answer = of.answer.safeParse(parsed.data.answer);
  if (!answer.success) throw refused(of.name, z.prettifyError(answer.error).slice(0, 300));
  return answer.data;
}

/** The handler that a line is for, and its checked body. @throws Fault INSTRUCTION_REFUSED */
export function readInstruction(
  line: string,
  handlers: readonly InstructionHandler[],
): { readonly handler: InstructionHandler; readonly body: unknown } {
  const call = callForm.safeParse(parsedJson(line));
  if (!call.success) throw refused('', 'not an instruction');
  const handler = handlers.find((one) => one.instruction.name === call.data.instruction);
  if (handler === undefined) throw refused(call.data.instruction, 'this program does not know it');
  const body = handler.instruction.body.safeParse(call.data.body);
  if (!body.success) throw refused(handler.instruction.name, z.prettifyError(body.error).slice(0, 300));
  return { handler, body: body.data };
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null; // The caller reports what is not an instruction, or not an answer.
  }
}

function refused(name: string, why: string): Fault {
  return new Fault('INSTRUCTION_REFUSED', { instruction: name, why });
}
