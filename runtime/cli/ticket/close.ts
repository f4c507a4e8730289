/** `holdfast ticket close`: compares the counts of a ticket, and closes it when officers have approved them. */
import { z } from 'zod';
import { Fault } from '../../core/faults.ts';
import { type CloseOutDocument, COUNTS_MAX, closeTicketInstruction } from '../../core/messages/close-out.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, usage } from '../command.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';
import { socketOf, socketOptions } from '../program-place.ts';
import { columns, counted } from '../screen.ts';
import { showFault } from '../show-fault.ts';
import { jsonIn, readJws } from './order-file.ts';

const APPROVALS_MAX = 16;
const countsFile = z.object({ ticket: z.string(), counts: z.array(z.string()).min(1).max(COUNTS_MAX) });
type Answer = z.output<typeof closeTicketInstruction.answer>;

export const ticketCloseCommand: Command = {
  name: 'ticket close',
  summary: 'at the backend: whether the counts of a ticket agree; with approvals closes it for ever',
  operands: 'TICKET [APPROVAL...]',
  operandsMax: 1 + APPROVALS_MAX,
  options: {
    ...socketOptions,
    counts: { type: 'string', value: 'FILE', help: 'what ticket counts printed at the gateway' },
    'dry-run': { type: 'boolean', help: 'compare only; with --json prints what officers approve' },
  },
  notes: [
    'Open and quarantined units may be closed with: officers then approve them by name, and they resume under the',
    'next ticket. Where the counts differ nothing is closed.',
  ],
  examples: [
    'holdfast ticket close ORDER-7 --counts counts.json --dry-run --json > closing.json',
    'holdfast ticket approve closing.json --closing --officer ada --key ada.key --reason "all counted" > ada.closing',
    'holdfast ticket close ORDER-7 ada.closing bob.closing --counts counts.json',
  ],
  run: async (given, means) => {
    const [ticket, ...approvalFiles] = given.operands;
    if (ticket === undefined) throw usage('say the number of the ticket');
    const dryRun = isSet(given, 'dry-run');
    if (!dryRun && approvalFiles.length === 0) throw usage('say --dry-run, or the files of the approvals');
    const file = needed(given, 'counts', 'what holdfast ticket counts printed');
    const read = countsFile.safeParse(jsonIn(file, means));
    if (!read.success) throw new Fault('CLOSE_OUT_REFUSED', { file, why: 'not a file of counts' });
    const approvals = approvalFiles.map((one) => readJws(one, means));
    const socket = socketOf('backend', given, means);
    const body = { ticket, counts: read.data.counts, approvals, dryRun };
    const answer = await means.instruct(socket, closeTicketInstruction, body);
    return report(answer, isSet(given, 'json'), means);
  },
};

function report({ document, subject, differences, leafIndex }: Answer, json: boolean, means: Means): number {
  if (json) means.print(JSON.stringify({ ...document, subject, differences, leafIndex }));
  else {
    for (const line of closeOutText(document, subject)) means.print(line);
    for (const { operation, eid, missing } of differences)
      means.print(
        means.paint.alarm(`differs: ${operation === '' ? '' : `${operation} (${eid}): `}${missing}`),
      );
    if (leafIndex !== null) means.print(means.paint.strong(`closed: leaf ${leafIndex} of the fleet log`));
  }
  const [first] = differences;
  if (first === undefined) return ExitCode.done;
  const context = { ticket: document.closeOut, differences: differences.length, ...first };
  return showFault(new Fault('COUNTS_DIFFER', context), json, means);
}

/** A close-out in words, for the officers who are to approve it. @param subject its SHA-256, hexadecimal */
export function closeOutText(document: CloseOutDocument, subject: string): readonly string[] {
  const { counts, open, quarantined, closeOut } = document;
  const named = (units: typeof open): readonly string[] =>
    units.map(({ operation, eid }) => `  ${eid} (${operation})`);
  return [
    ...columns([
      ['close-out', closeOut],
      ['hash', subject],
      ['units taken', `${counts.taken}`],
      ['released', `${counts.released}`],
      ['rejected', `${counts.rejected}, and ${counts.disowned} without a proof`],
      ['moved', `${counts.moved} to another ticket`],
      ['derivations', `${counts.derivations} by the gateway`],
      [
        'confirmations',
        `${counts.confirmations.gateway} by the gateway, ${counts.confirmations.backend} kept`,
      ],
      ['records', `${counts.records}`],
    ]),
    `${counted(counts.quarantined, 'unit')} in quarantine: rejected, and not seen to leave`,
    ...named(quarantined),
    `${counted(counts.open, 'unit')} still open: neither released nor rejected`,
    ...named(open),
  ];
}
