/** `holdfast journal`: what a station did, while it runs and when it is dead. */
import { isEid } from '../../core/eid.ts';
import type { JournalEntry } from '../../core/journal/entry.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, countOf, isSet, textOf, usage } from '../command.ts';
import type { Means, OpenedJournal } from '../means.ts';
import { type Selection, selectEntries } from './select.ts';
import { shortLines } from './short.ts';
import { SINCE_FORMS, sinceMs } from './since.ts';
import { verifyJournal } from './verify.ts';

/** Fewer last digits of an EID would name too many units. */
const EID_DIGITS_MIN = 4;

export const journalCommand: Command = {
  name: 'journal',
  summary: 'what a station did, entry by entry; also when it is dead',
  options: {
    dir: { type: 'string', value: 'DIR', help: 'the station’s directory, or its journal in it' },
    n: { type: 'string', value: 'N', help: 'only the last N entries' },
    since: { type: 'string', value: 'TIME', help: 'only entries from then on' },
    eid: { type: 'string', value: 'EID', help: 'only the visits of this unit; its last 4 digits are enough' },
    o: { type: 'string', value: 'FORM', help: 'short (default) or json: one object per line' },
    verify: { type: 'boolean', help: 'check the chain from its beginning; names the first bad entry' },
  },
  notes: [
    `TIME is one of: ${SINCE_FORMS}.`,
    'A running station is asked through its socket; of a dead one a copy is read. Nothing in DIR is changed.',
  ],
  examples: [
    'holdfast journal --dir var/line/station-1 -n 20',
    'holdfast journal --dir var/line/station-1 --since "10 min ago"',
    'holdfast journal --dir var/line/station-1 --eid 1235',
    'holdfast journal --dir /mnt/copied/journal --verify',
  ],
  run: async (given, means) => {
    const directory = textOf(given, 'dir');
    if (directory === null) throw usage('--dir is missing: say which station’s directory');
    const json = isSet(given, 'json') || formOf(given) === 'json';
    if (!isSet(given, 'verify')) return showJournal(directory, selectionOf(given, means.now()), json, means);
    if (['n', 'since', 'eid'].some((option) => textOf(given, option) !== null))
      throw usage('--verify checks the whole journal: leave out -n, --since and --eid');
    return verifyJournal(directory, json, means);
  },
};

async function showJournal(
  directory: string,
  selection: Selection,
  json: boolean,
  means: Means,
): Promise<number> {
  await using journal = await means.openJournal(directory);
  if (!json) means.talk(heading(journal, means.now()));
  const short = shortLines(means.paint);
  const lineOf = json ? entryJson : short;
  await selectEntries(journal.entries, selection, lineOf, means.print);
  return ExitCode.done;
}

function entryJson({ sequence, at, hash, fact }: JournalEntry): string {
  return JSON.stringify({ sequence, at, time: new Date(at).toISOString(), hash, fact });
}

function heading({ genesis, running }: OpenedJournal, nowMs: number): string {
  const state = running ? 'running, read through its socket' : 'not running, read from a copy';
  const zone = Intl.DateTimeFormat(undefined, { timeZoneName: 'longOffset' })
    .formatToParts(nowMs)
    .find((part) => part.type === 'timeZoneName')?.value;
  return `${genesis.station}: ${state}; times are ${zone ?? 'local'}`;
}

/** @throws Fault USAGE */
function selectionOf(given: Arguments, nowMs: number): Selection {
  const since = textOf(given, 'since');
  const from = since === null ? null : sinceMs(since, nowMs);
  if (since !== null && from === null)
    throw usage(`--since does not understand ${since}; it takes ${SINCE_FORMS}`);
  const eid = textOf(given, 'eid')?.replace(/^…/, '') ?? null;
  if (eid !== null && !isEidEnd(eid))
    throw usage('--eid takes an EID: 32 digits with right check digits, or the last ones, at least 4');
  return { last: countOf(given, 'n', 0), sinceMs: from, eidEnd: eid };
}

function isEidEnd(text: string): boolean {
  return text.length === 32
    ? isEid(text)
    : /^\d+$/.test(text) && text.length >= EID_DIGITS_MIN && text.length < 32;
}

/** @throws Fault USAGE */
function formOf(given: Arguments): 'short' | 'json' {
  const form = textOf(given, 'o') ?? 'short';
  if (form !== 'short' && form !== 'json') throw usage(`-o takes short or json, not ${form}`);
  return form;
}
