/** `holdfast fleet reconcile`: whether all who count the units of a ticket count alike, while it is worked on. */
import { Fault } from '../../core/faults.ts';
import { COUNTS_MAX } from '../../core/messages/close-out.ts';
import { reconcileInstruction } from '../../core/messages/reconciliation.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, countOf, isSet, textOf, usage } from '../command.ts';
import { formIn } from '../given.ts';
import type { Means } from '../means.ts';
import { socketOf, socketOptions } from '../program-place.ts';
import { columns } from '../screen.ts';
import { showFault } from '../show-fault.ts';

const countsFile = reconcileInstruction.body.pick({ counts: true });

export const fleetReconcileCommand: Command = {
  name: 'fleet reconcile',
  summary: 'at the backend: derivations, confirmations, records, departures and the MES side by side',
  operands: 'TICKET',
  operandsMax: 1,
  options: {
    counts: { type: 'string', value: 'FILE', help: 'what ticket counts printed at the gateway' },
    mes: { type: 'string', value: 'N', help: 'good units as the MES counts them' },
    'mes-units': {
      type: 'string',
      value: 'FILE',
      help: 'their EIDs, one a line: then differences name the unit',
    },
    ...socketOptions,
  },
  notes: [
    'The backend does the same by itself for every open ticket, with the last count of the MES, and without the gateway’s',
    'statement. Differences are an alarm in its log and stand in the retained status of the ticket.',
  ],
  examples: [
    'holdfast fleet reconcile ORDER-7 --mes 1184',
    'holdfast fleet reconcile ORDER-7 --counts counts.json --mes-units shipped.txt --json',
  ],
  run: async (given, means) => {
    const [ticket] = given.operands;
    if (ticket === undefined) throw usage('say the number of the ticket');
    const file = textOf(given, 'counts');
    const counts = file === null ? [] : formIn(file, countsFile.loose(), means.files).counts;
    if (counts.length > COUNTS_MAX) throw usage('these are the counts of more than one ticket');
    const asked = { ticket, counts: [...counts], mes: mesOf(given, means) };
    const answer = await means.instruct(socketOf('backend', given, means), reconcileInstruction, asked);
    if (isSet(given, 'json')) means.print(JSON.stringify(answer));
    else {
      const { confirmations, ...rest } = answer.counts;
      const rows = [
        ...Object.entries(rest).map(([name, value]) => [name, value === null ? 'not told' : String(value)]),
        ['confirmations', `${confirmations.backend} at the backend`],
      ];
      for (const line of columns(rows)) means.print(line);
      for (const { operation, eid, missing } of answer.differences)
        means.print(means.paint.alarm(`differs: ${[operation, eid].filter(Boolean).join(' ')} ${missing}`));
    }
    const [first] = answer.differences;
    if (first === undefined) return ExitCode.done;
    const context = { ticket, differences: answer.differences.length, ...first };
    return showFault(new Fault('COUNTS_DIFFER', context), isSet(given, 'json'), means);
  },
};

/** @throws Fault USAGE, FILE_UNREADABLE */
function mesOf(given: Arguments, { files }: Means) {
  const [count, file] = [countOf(given, 'mes', 0), textOf(given, 'mes-units')];
  if (file === null) return count === null ? null : { count, eids: null };
  const eids = [
    ...new Set(
      files
        .read(file)
        .split(/\s+/)
        .filter((line) => line !== ''),
    ),
  ];
  return { count: count ?? eids.length, eids };
}
