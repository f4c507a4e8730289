/** `holdfast ticket approve`: an officer reads an order, or its close-out, and signs the hash. */
import { closeOutHash } from '../../core/messages/close-out.ts';
import { orderHash } from '../../core/messages/ticket.ts';
import { type Approved, approvalOptions, approve } from '../approval.ts';
import { type Command, isSet, usage } from '../command.ts';
import type { Means } from '../means.ts';
import { closeOutText } from './close.ts';
import { readCloseOut, readOrder } from './order-file.ts';
import { orderText } from './order-text.ts';

export const ticketApproveCommand: Command = {
  name: 'ticket approve',
  summary: 'an officer’s signature under an order, or under its close-out; shows it, prints the approval',
  operands: 'FILE',
  operandsMax: 1,
  options: {
    ...approvalOptions,
    closing: { type: 'boolean', help: 'the file is what a dry run of ticket close printed with --json' },
  },
  notes: ['What you sign is shown on standard error, so that you can read it.'],
  examples: [
    'holdfast ticket approve order.json --officer ada --key ada.key --reason "as planned" > ada.approval',
  ],
  run: async (given, means) => {
    const [file] = given.operands;
    if (file === undefined) throw usage('say which file');
    return approve(given, means, isSet(given, 'closing') ? closing(file, means) : order(file, means));
  },
};

function order(file: string, means: Means): Approved {
  const read = readOrder(file, means);
  const subject = orderHash(read, means.crypto);
  return { purpose: 'ticket', subject, lines: orderText(read, subject) };
}

function closing(file: string, means: Means): Approved {
  const document = readCloseOut(file, means);
  const subject = closeOutHash(document, means.crypto);
  return { purpose: 'close-out', subject, lines: closeOutText(document, subject) };
}
