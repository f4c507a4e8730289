/** `holdfast ticket refusals`: every refusal that a gateway kept, and the hash that the log has of them. */
import { Fault } from '../../core/faults.ts';
import { listRefusalsInstruction } from '../../core/messages/close-out.ts';
import { refusalsHash } from '../../core/orders/refusal.ts';
import { ExitCode } from '../../program.ts';
import type { Command } from '../command.ts';
import { socketOf, socketOptions } from '../program-place.ts';

/** A gateway that goes round in circles is not followed for ever. */
const PAGES_MAX = 10_000;

export const ticketRefusalsCommand: Command = {
  name: 'ticket refusals',
  summary: 'at the gateway: prints each refusal under a ticket, a line of JSON each, and their hash',
  operands: '[TICKET]',
  operandsMax: 1,
  options: socketOptions,
  notes: [
    'The close-out of a ticket puts the first hundred into the log, the number of each code, and this hash over all.',
    'Without TICKET: refusals of tickets that could not be read, and numbers of those that were too many in a minute.',
  ],
  examples: ['holdfast ticket refusals ORDER-7 --dir var/line > refusals.jsonl'],
  run: async (given, means) => {
    const [ticket = ''] = given.operands;
    const socket = socketOf('gateway', given, means);
    let [after, hash, count] = ['', '', 0];
    for (let pages = 0; ; pages++) {
      const { refusals } = await means.instruct(socket, listRefusalsInstruction, { ticket, after });
      for (const row of refusals) means.print(JSON.stringify(row));
      hash = refusalsHash(hash, refusals, means.crypto);
      count += refusals.length;
      const next = refusals.at(-1)?.key;
      if (next === undefined) break;
      if (pages === PAGES_MAX)
        throw new Fault('INSTRUCTION_REFUSED', { instruction: listRefusalsInstruction.name, why: 'no end' });
      after = next;
    }
    means.talk(`${count} refusals; hash ${hash === '' ? 'none' : hash}`);
    return ExitCode.done;
  },
};
