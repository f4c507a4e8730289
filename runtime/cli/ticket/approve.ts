/** `holdfast ticket approve`: an officer reads an order, or its close-out, and signs the hash. */
import { instantOf } from '../../core/instant.ts';
import { approvalStatement } from '../../core/messages/approval.ts';
import { closeOutHash } from '../../core/messages/close-out.ts';
import { seal } from '../../core/messages/envelope.ts';
import { orderHash } from '../../core/messages/ticket.ts';
import { ExitCode } from '../../program.ts';
import { type Command, countOf, isSet, usage } from '../command.ts';
import type { Means } from '../means.ts';
import { closeOutText } from './close.ts';
import { demanded, readCloseOut, readOrder } from './order-file.ts';
import { orderText } from './order-text.ts';

const DAY_MS = 86_400_000;
/** How long the authority may take to sign, where nothing else is said. */
const DAYS = 3;

export const ticketApproveCommand: Command = {
  name: 'ticket approve',
  summary: 'an officer’s signature under an order, or under its close-out; shows it, prints the approval',
  operands: 'FILE',
  operandsMax: 1,
  options: {
    officer: { type: 'string', value: 'NAME', help: 'as gateway and backend name you' },
    key: { type: 'string', value: 'FILE', help: 'your P-256 key, PEM, mode 0600' },
    reason: { type: 'string', value: 'TEXT', help: 'why, for whoever reads it later' },
    closing: { type: 'boolean', help: 'the file is what a dry run of ticket close printed with --json' },
    days: { type: 'string', value: 'N', help: `how long the authority may sign upon it (default ${DAYS})` },
  },
  notes: ['What you sign is shown on standard error, so that you can read it.'],
  examples: [
    'holdfast ticket approve order.json --officer ada --key ada.key --reason "as planned" > ada.approval',
  ],
  run: async (given, means) => {
    const [file] = given.operands;
    if (file === undefined) throw usage('say which file');
    const officer = demanded(given, 'officer', 'as gateway and backend name you');
    const reason = demanded(given, 'reason', 'why you approve');
    const key = demanded(given, 'key', 'the file of your key');
    const notAfter = means.now() + (countOf(given, 'days', 1) ?? DAYS) * DAY_MS;
    const { purpose, subject, lines } = isSet(given, 'closing') ? closing(file, means) : order(file, means);
    for (const line of lines) means.talk(line);
    const payload = approvalStatement.payload.safeParse({
      purpose,
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

interface Subject {
  readonly purpose: 'ticket' | 'close-out';
  /** SHA-256, hexadecimal. */
  readonly subject: string;
  readonly lines: readonly string[];
}

function order(file: string, means: Means): Subject {
  const read = readOrder(file, means);
  const subject = orderHash(read, means.crypto);
  return { purpose: 'ticket', subject, lines: orderText(read, subject) };
}

function closing(file: string, means: Means): Subject {
  const document = readCloseOut(file, means);
  const subject = closeOutHash(document, means.crypto);
  return { purpose: 'close-out', subject, lines: closeOutText(document, subject) };
}
