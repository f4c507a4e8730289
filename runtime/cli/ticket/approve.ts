/** `holdfast ticket approve`: an officer reads an order and signs its hash. */
import { instantOf } from '../../core/instant.ts';
import { approvalStatement } from '../../core/messages/approval.ts';
import { seal } from '../../core/messages/envelope.ts';
import { orderHash } from '../../core/messages/ticket.ts';
import { ExitCode } from '../../program.ts';
import { type Command, countOf, usage } from '../command.ts';
import { demanded, readOrder } from './order-file.ts';
import { orderText } from './order-text.ts';

const DAY_MS = 86_400_000;
/** How long the authority may take to sign, where nothing else is said. */
const DAYS = 3;

export const ticketApproveCommand: Command = {
  name: 'ticket approve',
  summary: 'an officer’s signature under an order; shows the order, prints the approval',
  operands: 'ORDER',
  operandsMax: 1,
  options: {
    officer: { type: 'string', value: 'NAME', help: 'as gateway and backend name you' },
    key: { type: 'string', value: 'FILE', help: 'your P-256 key, PEM, mode 0600' },
    reason: { type: 'string', value: 'TEXT', help: 'why, for whoever reads it later' },
    days: { type: 'string', value: 'N', help: `how long the authority may sign upon it (default ${DAYS})` },
  },
  notes: ['The order is shown on standard error, so that you read what you sign.'],
  examples: [
    'holdfast ticket approve order.json --officer ada --key ada.key --reason "as planned" > ada.approval',
  ],
  run: async (given, means) => {
    const [file] = given.operands;
    if (file === undefined) throw usage('say which order');
    const officer = demanded(given, 'officer', 'as gateway and backend name you');
    const reason = demanded(given, 'reason', 'why you approve');
    const key = demanded(given, 'key', 'the file of your key');
    const notAfter = means.now() + (countOf(given, 'days', 1) ?? DAYS) * DAY_MS;
    const order = readOrder(file, means);
    const subject = orderHash(order, means.crypto);
    for (const line of orderText(order, subject)) means.talk(line);
    const payload = approvalStatement.payload.safeParse({
      purpose: 'ticket',
      subject,
      officer,
      reason,
      approvedAt: instantOf(means.now()),
      notAfter: instantOf(notAfter),
    });
    if (!payload.success) throw usage('a name is of a-z, 0-9 and hyphen, a reason of at most 200 characters');
    means.print(await seal(approvalStatement, payload.data, await means.openSigner(key), means.crypto));
    return ExitCode.done;
  },
};
