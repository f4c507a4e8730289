/** `holdfast ticket show`: a ticket in words, and whether a gateway or backend would act on it. */
import { Fault, isFault } from '../../core/faults.ts';
import { instantMs } from '../../core/instant.ts';
import { type ApprovalPayload, approvalStatement } from '../../core/messages/approval.ts';
import { payloadOf } from '../../core/messages/envelope.ts';
import {
  demandApproved,
  orderHash,
  orderOf,
  readTicket,
  type TicketPayload,
  ticketStatement,
} from '../../core/messages/ticket.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, usage } from '../command.ts';
import type { Means } from '../means.ts';
import { showFault } from '../show-fault.ts';
import { type Judge, judgeIn, judgeOption, readJws } from './order-file.ts';
import { orderText } from './order-text.ts';

export const ticketShowCommand: Command = {
  name: 'ticket show',
  summary: 'what a ticket says and who approved it; with --judge whether it would be accepted',
  operands: 'TICKET',
  operandsMax: 1,
  options: judgeOption,
  notes: ['Without --judge nothing is verified: it is what the file claims.'],
  examples: ['holdfast ticket show ticket.jws --judge backend.json'],
  run: async (given, means) => {
    const [file] = given.operands;
    if (file === undefined) throw usage('say which ticket');
    const jws = readJws(file, means);
    const ticket = claimed(jws, file);
    const judge = judgeIn(given, means);
    const fault = judge === null ? null : objectionOf(jws, judge, means);
    const hash = orderHash(ticket, means.crypto);
    const approvals = ticket.approvals.map(approvalIn);
    const verdict = judge === null ? 'not judged' : fault === null ? 'accepted' : 'refused';
    if (isSet(given, 'json'))
      means.print(JSON.stringify({ verdict, hash, order: orderOf(ticket), approvals }));
    else {
      for (const line of orderText(orderOf(ticket), hash)) means.print(line);
      for (const approval of approvals) means.print(approvalText(approval));
      means.print(`signed at ${ticket.signedAt}`);
      if (fault === null) means.print(means.paint.strong(verdict));
    }
    return fault === null ? ExitCode.done : showFault(fault, isSet(given, 'json'), means);
  },
};

/** @throws Fault TICKET_INVALID */
function claimed(jws: string, file: string): TicketPayload {
  const payload = payloadOf(ticketStatement, jws);
  if (payload === null) throw new Fault('TICKET_INVALID', { file, why: 'not a ticket' });
  return payload;
}

function objectionOf(jws: string, { trusted, quorum }: Judge, means: Means): Fault | null {
  try {
    const ticket = readTicket(jws, trusted, means.crypto);
    demandApproved(ticket, quorum, trusted, means.crypto);
    const nowMs = means.now();
    const why =
      nowMs < instantMs(ticket.notBefore)
        ? 'not yet valid'
        : nowMs > instantMs(ticket.notAfter)
          ? 'no longer valid'
          : null;
    return why === null ? null : new Fault('TICKET_INVALID', { ticket: ticket.ticket, why });
  } catch (error) {
    if (isFault(error)) return error;
    throw error;
  }
}

function approvalIn(jws: string): ApprovalPayload | null {
  return payloadOf(approvalStatement, jws);
}

function approvalText(approval: ApprovalPayload | null): string {
  if (approval === null) return 'an approval that cannot be read';
  return `approved by ${approval.officer} at ${approval.approvedAt}: ${approval.reason}`;
}
