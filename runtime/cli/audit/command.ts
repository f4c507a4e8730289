/** `holdfast audit verify`: proves that the fleet's records are the ones that were logged. */
import { fromText } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { headText } from '../../core/store/head.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, textOf, usage } from '../command.ts';
import { databaseOptions, openFleetOf } from '../fleet/place.ts';
import type { Means } from '../means.ts';
import { columns, counted } from '../screen.ts';
import { showFault } from '../show-fault.ts';
import { type Audit, auditFleet } from './audit.ts';
import { verifyExport } from './export-verify.ts';
import { logKeyOf } from './log-key.ts';

/** A word about progress after so many leaves. */
const PROGRESS_LEAVES = 50_000;

export const auditVerifyCommand: Command = {
  name: 'audit verify',
  summary:
    'checks the fleet log: leaves, root, signature, records and revocations against their leaves; or an export',
  options: {
    ...databaseOptions,
    'log-key': {
      type: 'string',
      value: 'NAME:HEX',
      help: 'origin and Ed25519 key of the log, or its verifier key (default: as station.json in LINE says)',
    },
    export: { type: 'string', value: 'DIR', help: 'checks the export in DIR, and asks no database' },
    known: {
      type: 'string',
      value: 'FILE',
      help: 'a checkpoint that was kept, or the directory of an earlier export; with --export, again and again',
      multiple: true,
    },
    'head-file': {
      type: 'string',
      value: 'FILE',
      help: 'writes the head of the verified log where a backend remembers it; only where no such file is',
    },
  },
  notes: [
    '--head-file is for a backend that has lost its file, and only for the newest database there is.',
    'The key comes from you or from a station, never from the database that is checked.',
  ],
  examples: [
    'holdfast audit verify --dir var/line',
    'holdfast audit verify --database URL --log-key NAME:HEX',
    'holdfast audit verify --export DIR --log-key NAME:HEX --known last-year/checkpoint',
    'holdfast audit verify --dir var/line --head-file var/line/backend/log-head',
  ],
  run: async (given, means) => {
    const json = isSet(given, 'json');
    const logKey = logKeyOf(given, means);
    const exported = textOf(given, 'export');
    if (exported !== null) return verifyExport(exported, logKey, given, means);
    const headFile = textOf(given, 'head-file');
    if (headFile !== null && means.files.exists(headFile))
      throw usage(`--head-file: there is a ${headFile} already; a backend that has its file needs no other`);
    await using fleet = await openFleetOf(given, means);
    const audit = await auditFleet(fleet, logKey, means.crypto, (leaves, size) => {
      if (leaves % PROGRESS_LEAVES === 0) means.talk(`${leaves} of ${size} leaves read`);
    });
    if (json) means.print(JSON.stringify({ verified: audit.problem === null, log: logKey.name, ...audit }));
    else for (const line of linesOf(audit, logKey.name, means)) means.print(line);
    if (audit.problem === null) {
      if (headFile !== null) await means.write(headFile, fromText(headText(audit)));
      return ExitCode.done;
    }
    return showFault(new Fault('LOG_FORKED', { ...audit.problem }), json, means);
  },
};

function linesOf(audit: Audit, name: string, { paint }: Means): readonly string[] {
  const { kinds, problem, size } = audit;
  const rows = [
    ['log', name],
    ['leaves', `${audit.leaves} of ${size}${kindsIn(kinds)}`],
    ...(problem === null
      ? [
          ['root', `${audit.root}, over all leaves`],
          ['checkpoint', size === 0 ? 'none yet: the log is empty' : 'signed by the key of the log'],
          ['records', `${counted(audit.records, 'identity record')}, each the one that was logged`],
          ['inclusion', `${counted(audit.inclusionProofs, 'proof')} verified`],
        ]
      : []),
  ];
  const verdict =
    problem === null
      ? paint.strong('VERIFIED')
      : paint.alarm(`NOT VERIFIED: ${problem.where}: ${problem.why}`);
  return [...columns(rows), verdict];
}

function kindsIn(kinds: Readonly<Record<string, number>>): string {
  const parts = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}
