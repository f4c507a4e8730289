/** Gives one instruction to a program of this machine, and waits for what it answers. */
import { createConnection } from 'node:net';
import type { z } from 'zod';
import { Fault } from '../../runtime/core/faults.ts';
import {
  INSTRUCTION_LENGTH_MAX,
  type Instruction,
  instructionLine,
  readInstructionAnswer,
} from '../../runtime/core/messages/instruction.ts';

/** Signing a list of a hundred thousand entries takes seconds. */
const ANSWER_DEADLINE_MS = 120_000;

/** @throws Fault INSTRUCTION_UNREACHABLE, INSTRUCTION_REFUSED, or the fault that the program answers with */
export async function instruct<Body extends z.ZodType, Answer extends z.ZodType>(
  path: string,
  of: Instruction<Body, Answer>,
  body: z.input<Body>,
  deadlineMs: number = ANSWER_DEADLINE_MS,
): Promise<z.output<Answer>> {
  return readInstructionAnswer(of, await exchangeLine(path, of, instructionLine(of, body), deadlineMs));
}

function exchangeLine(path: string, of: Instruction, line: string, deadlineMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: string[] = [];
    let length = 0;
    const socket = createConnection(path);
    const fail = (why: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Fault('INSTRUCTION_UNREACHABLE', { program: of.to, socket: path, why }, { cause }));
    };
    const timer = setTimeout(() => fail('no answer in time'), deadlineMs);
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write(`${line}\n`));
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'error', error));
    socket.on('data', (piece: string) => {
      length += piece.length;
      if (length > INSTRUCTION_LENGTH_MAX) fail('the answer is too long');
      else pieces.push(piece);
    });
    socket.once('end', () => {
      clearTimeout(timer);
      const answer = pieces.join('');
      if (answer.endsWith('\n')) resolve(answer.slice(0, -1));
      else fail('it ended without an answer');
    });
  });
}
