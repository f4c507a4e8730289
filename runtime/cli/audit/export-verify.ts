/** `holdfast audit verify --export`: an export of the log, checked with public keys and nothing else. */
import { Fault } from '../../core/faults.ts';
import type { NoteKey } from '../../core/log/note.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, isSet, listOf } from '../command.ts';
import type { Means } from '../means.ts';
import { columns } from '../screen.ts';
import { showFault } from '../show-fault.ts';
import { auditExport, type ExportAudit, type ExportProblem, type Known } from './export-check.ts';

const PROGRESS_LEAVES = 51_200;

const codeOf = {
  damaged: 'LOG_EXPORT_INVALID',
  forked: 'LOG_FORKED',
  'rolled-back': 'LOG_ROLLED_BACK',
} as const satisfies Readonly<Record<ExportProblem['kind'], string>>;

/** @returns the exit code. @throws Fault FILE_UNREADABLE for a known state that is not there */
export async function verifyExport(
  directory: string,
  logKey: NoteKey,
  given: Arguments,
  means: Means,
): Promise<number> {
  const json = isSet(given, 'json');
  const { shelf } = means.ceremony;
  const known: Known[] = [];
  for (const name of listOf(given, 'known')) known.push(await knownOf(name, means));
  const read = (path: string) => shelf.read(`${directory}/${path}`);
  const audit = await auditExport(read, logKey, known, means.crypto, (leaves, size) => {
    if (leaves % PROGRESS_LEAVES === 0) means.talk(`${leaves} of ${size} leaves read`);
  });
  const { problem } = audit;
  if (json) means.print(JSON.stringify({ verified: problem === null, log: logKey.name, ...audit }));
  else for (const line of linesOf(audit, logKey.name, known.length, means)) means.print(line);
  if (problem === null) return ExitCode.done;
  const { where, why, kind } = problem;
  return showFault(new Fault(codeOf[kind], { where, why }), json, means);
}

/** A checkpoint in a file, or an earlier export with its own. */
async function knownOf(name: string, { files, ceremony: { shelf } }: Means): Promise<Known> {
  const exported = files.exists(`${name}/checkpoint`);
  const path = exported ? `${name}/checkpoint` : name;
  const checkpoint = await shelf.read(path);
  if (checkpoint === null) throw new Fault('FILE_UNREADABLE', { file: path });
  return { name, checkpoint, read: exported ? (file) => shelf.read(`${name}/${file}`) : null };
}

function linesOf(audit: ExportAudit, log: string, known: number, { paint }: Means): readonly string[] {
  const { kinds, problem, size, root, leaves } = audit;
  const parts = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  const rows = [
    ['log', log],
    ['leaves', `${leaves} of ${size}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`],
    ...(problem === null
      ? [
          ['root', `${root}, over all leaves and tiles`],
          ['checkpoint', 'signed by the key of the log'],
          ['known before', known === 0 ? 'nothing was given to compare with' : `${known}, all contained`],
        ]
      : []),
  ];
  const verdict =
    problem === null
      ? paint.strong('VERIFIED')
      : paint.alarm(`NOT VERIFIED: ${problem.where}: ${problem.why}`);
  return [...columns(rows), verdict];
}
