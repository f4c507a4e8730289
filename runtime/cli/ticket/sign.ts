/** `holdfast ticket sign`: the authority makes a ticket of an order that enough officers have approved. */
import { instantOf } from '../../core/instant.ts';
import { demandApprovals } from '../../core/messages/approval.ts';
import { seal } from '../../core/messages/envelope.ts';
import { orderHash, ticketStatement } from '../../core/messages/ticket.ts';
import { ExitCode } from '../../program.ts';
import { type Command, usage } from '../command.ts';
import { needed } from '../given.ts';
import { judgeIn, judgeOption, readJws, readOrder } from './order-file.ts';
import { orderText } from './order-text.ts';

/** Approvals that a ticket holds. */
const APPROVALS_MAX = 16;

export const ticketSignCommand: Command = {
  name: 'ticket sign',
  summary: 'the ticket authority signs an order with its approvals; prints the ticket',
  operands: 'ORDER APPROVAL...',
  operandsMax: 1 + APPROVALS_MAX,
  options: {
    ...judgeOption,
    key: { type: 'string', value: 'FILE', help: 'P-256 key of the ticket authority, PEM, mode 0600' },
  },
  notes: ['Nothing is signed that this gateway or backend would refuse.'],
  examples: [
    'holdfast ticket sign order.json ada.approval bob.approval --key authority.key --judge backend.json > ticket.jws',
  ],
  run: async (given, means) => {
    const [file, ...approvalFiles] = given.operands;
    if (file === undefined) throw usage('say which order, and the files of its approvals');
    const key = needed(given, 'key', 'the file of the authority’s key');
    const judge = judgeIn(given, means);
    if (judge === null) throw usage('--judge is missing: gateway.json or backend.json of where it is for');
    const order = readOrder(file, means);
    const approvals = approvalFiles.map((one) => readJws(one, means));
    const subject = orderHash(order, means.crypto);
    const nowMs = means.now();
    const demand = { purpose: 'ticket', subject, quorum: judge.quorum, nowMs } as const;
    const good = demandApprovals(approvals, demand, judge.trusted, means.crypto);
    for (const line of orderText(order, subject)) means.talk(line);
    for (const { officer, reason } of good) means.talk(`approved by ${officer}: ${reason}`);
    const payload = { ...order, signedAt: instantOf(nowMs), approvals };
    means.print(await seal(ticketStatement, payload, await means.openSigner({ file: key }), means.crypto));
    return ExitCode.done;
  },
};
