/** A transcript as the commands get it: out of a file, or out of the gateway's ledger. */
import { type TranscriptFile, transcriptFile } from '../../core/card/transcript-form.ts';
import { isEid } from '../../core/eid.ts';
import { Fault } from '../../core/faults.ts';
import type { ConclusionRow } from '../../core/store/ledger.ts';
import { type Arguments, countOf, type Option, textOf, usage } from '../command.ts';
import type { Means } from '../means.ts';
import { openLedgerOf } from './place.ts';

/** A kept transcript with its receipt, written with room for other white space. */
const FILE_CHARACTERS_MAX = 8_388_608;

export const keptOptions = {
  eid: {
    type: 'string',
    value: 'EID',
    help: 'the unit, by its 32 digits: its newest transcript in the ledger',
  },
  epoch: { type: 'string', value: 'N', help: 'of this epoch, not the newest' },
} as const satisfies Readonly<Record<string, Option>>;

/** @throws Fault MESSAGE_MALFORMED, FILE_UNREADABLE */
export function readTranscript(path: string, means: Means): TranscriptFile {
  return parsed(means.files.read(path), path);
}

/** Null where the ledger has none. @throws Fault USAGE, MESSAGE_MALFORMED, and those of the ledger */
export async function keptTranscript(given: Arguments, means: Means): Promise<TranscriptFile | null> {
  const eid = textOf(given, 'eid');
  if (eid === null) throw usage('--eid is missing; holdfast fleet list shows the units');
  if (!isEid(eid)) throw usage(`--eid takes an EID: 32 digits with right check digits, not ${eid}`);
  const epoch = countOf(given, 'epoch', 1);
  await using ledger = await openLedgerOf(given, means);
  const rows = await ledger.transcriptsOf(eid);
  const row = rows.find((one) => epoch === null || one.epoch === epoch);
  if (row === undefined) {
    means.talk(
      `The gateway's ledger has no transcript of ${eid}${epoch === null ? '' : ` in epoch ${epoch}`}.`,
    );
    return null;
  }
  return parsed(fileOf(row), 'ledger');
}

export function fileOf({ kind, jws, transcript }: ConclusionRow): string {
  const head = { schema: 'holdfast/transcript-file-1', kind, conclusion: jws };
  return `${JSON.stringify(head).slice(0, -1)},"transcript":${transcript}}`;
}

function parsed(text: string, file: string): TranscriptFile {
  if (text.length > FILE_CHARACTERS_MAX) throw new Fault('MESSAGE_MALFORMED', { file, why: 'too long' });
  try {
    const result = transcriptFile.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    const where = result.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw new Fault('MESSAGE_MALFORMED', { file, where: where.slice(0, 300) });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Fault('MESSAGE_MALFORMED', { file, why: 'not JSON' }, { cause: error });
  }
}
