/** `holdfast ticket counts`: the gateway's signed counts of a ticket, to be carried to the backend. */

import { Fault } from '../../core/faults.ts';
import { COUNTS_MAX, ticketCountsInstruction } from '../../core/messages/close-out.ts';
import { ExitCode } from '../../program.ts';
import { type Command, usage } from '../command.ts';
import { socketOf, socketOptions } from '../program-place.ts';

export const ticketCountsCommand: Command = {
  name: 'ticket counts',
  summary:
    'at the gateway: what it did under a ticket, unit by unit, signed; prints the file for ticket close',
  operands: 'TICKET',
  operandsMax: 1,
  options: socketOptions,
  notes: ['TICKET is its number. The file is good for an hour.'],
  examples: ['holdfast ticket counts ORDER-7 --dir var/line > counts.json'],
  run: async (given, means) => {
    const [ticket] = given.operands;
    if (ticket === undefined) throw usage('say the number of the ticket');
    const socket = socketOf('gateway', given, means);
    const counts: string[] = [];
    let after: string | null = '';
    while (after !== null) {
      if (counts.length === COUNTS_MAX)
        throw new Fault('CLOSE_OUT_REFUSED', { ticket, why: 'it has more units than can be closed at once' });
      const { statement, next }: { statement: string; next: string | null } = await means.instruct(
        socket,
        ticketCountsInstruction,
        { ticket, after },
      );
      counts.push(statement);
      after = next;
    }
    means.print(JSON.stringify({ ticket, counts }));
    return ExitCode.done;
  },
};
