/** The contract of the instruction door, on its socket and in memory. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { z } from 'zod';
import { instruct } from '../../drivers/instruction/client.ts';
import { createInMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import { openInstructionSocket } from '../../drivers/instruction/socket.ts';
import { Fault } from '../../runtime/core/faults.ts';
import { instruction, instructionHandler } from '../../runtime/core/messages/instruction.ts';
import type { InstructionDoor } from '../../runtime/core/ports.ts';

const add = instruction({
  name: 'add',
  to: 'backend',
  body: z.strictObject({ a: z.int(), b: z.int() }),
  answer: z.strictObject({ sum: z.int() }),
});
const echo = instruction({
  name: 'echo',
  to: 'gateway',
  body: z.strictObject({ text: z.string() }),
  answer: z.strictObject({ text: z.string() }),
});
const unknown = instruction({ ...add, name: 'subtract' });
const handlers = [
  instructionHandler(add, ({ a, b }) => {
    if (a < 0) throw new Fault('QUOTA_EXHAUSTED', { ticket: 'T-1', quota: 1 });
    if (b < 0) throw new RangeError('a mistake of ours, with a detail');
    return Promise.resolve({ sum: a + b });
  }),
  instructionHandler(echo, ({ text }) => Promise.resolve({ text })),
];

const top = mkdtempSync(join(tmpdir(), 'instruction-'));
after(() => rmSync(top, { recursive: true, force: true }));

interface Stand {
  readonly door: InstructionDoor;
  readonly instruct: ReturnType<typeof createInMemoryInstructionDoor>['instruct'];
}
const stands: Readonly<Record<string, () => Stand>> = {
  'on a socket': () => {
    const path = join(top, 'backend.sock');
    return {
      door: openInstructionSocket(path),
      instruct: (of, body) => instruct(path, of, body, 5_000),
    };
  },
  'in memory': () => {
    const door = createInMemoryInstructionDoor();
    return { door, instruct: (of, body) => door.instruct(of, body) };
  },
};

for (const [where, open] of Object.entries(stands))
  describe(`an instruction ${where}`, () => {
    const { door, instruct: tell } = open();
    after(() => door.close());

    it('finds nobody before the program serves: INSTRUCTION_UNREACHABLE', async () => {
      await assert.rejects(tell(add, { a: 1, b: 2 }), { code: 'INSTRUCTION_UNREACHABLE' });
    });

    it('is answered, also when it is long', async () => {
      await door.serve(handlers);
      assert.deepEqual(await tell(add, { a: 1, b: 2 }), { sum: 3 });
      const text = 'ä'.repeat(3_000_000);
      assert.equal((await tell(echo, { text })).text, text);
    });

    it('brings back the fault of the program, with its context', async () => {
      await assert.rejects(tell(add, { a: -1, b: 2 }), {
        code: 'QUOTA_EXHAUSTED',
        context: { ticket: 'T-1', quota: 1 },
      });
    });

    it('tells no detail of a mistake of ours', async () => {
      await assert.rejects(tell(add, { a: 1, b: -2 }), { code: 'UNEXPECTED', context: {} });
    });

    it('is refused when the program does not know it or its form is wrong: INSTRUCTION_REFUSED', async () => {
      await assert.rejects(tell(unknown, { a: 1, b: 2 }), { code: 'INSTRUCTION_REFUSED' });
      await assert.rejects(tell(add, { a: 1, b: 'two' } as never), { code: 'INSTRUCTION_REFUSED' });
    });

    it('finds nobody once the program has closed its door', async () => {
      await door.close();
      await assert.rejects(tell(add, { a: 1, b: 2 }), { code: 'INSTRUCTION_UNREACHABLE' });
    });
  });

describe('the socket for instructions', () => {
  it('is its user’s alone, and outlives what is not an instruction and who hangs up', async () => {
    const path = join(top, 'gateway.sock');
    const door = openInstructionSocket(path);
    await door.serve(handlers);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(path, () => socket.write('{{{\n'));
      socket.setEncoding('utf8').once('data', resolve).once('error', reject);
    });
    assert.match(answer, /"code":"INSTRUCTION_REFUSED"/);
    await new Promise<void>((resolve, reject) => {
      const socket = createConnection(path, () => socket.end('{"instruct'));
      socket.once('close', () => resolve()).once('error', reject);
    });
    assert.deepEqual(await instruct(path, add, { a: 2, b: 2 }, 5_000), { sum: 4 });
    await door.close();
  });
});
