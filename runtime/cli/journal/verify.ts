/**
 * `holdfast journal --verify`: every entry must continue the one before it, from the genesis on, or from where an
 * acknowledged entry of the same chain says that those before were given up.
 */
import { asFault, type Fault } from '../../core/faults.ts';
import type { JournalEntry } from '../../core/journal/entry.ts';
import { ExitCode } from '../../program.ts';
import type { Means } from '../means.ts';
import { counted, localSecond } from '../screen.ts';
import { showFault } from '../show-fault.ts';

export async function verifyJournal(directory: string, json: boolean, means: Means): Promise<number> {
  let entries = 0;
  let first: JournalEntry | null = null;
  let last: JournalEntry | null = null;
  let station: string | null = null;
  try {
    await using journal = await means.openJournal(directory);
    station = journal.genesis.station;
    for await (const entry of journal.entries) {
      entries += 1;
      first ??= entry;
      last = entry;
    }
  } catch (error) {
    const fault = asFault(error, 'JOURNAL_DAMAGED', { directory });
    if (fault.code !== 'JOURNAL_DAMAGED') throw error;
    return damaged(fault, station === null ? null : entries, json, means);
  }
  if (json)
    means.print(
      JSON.stringify({
        ...{ verified: true, station, entries, first: first?.sequence ?? null },
        ...{ hash: last?.hash ?? null, firstBad: null },
      }),
    );
  else
    means.print(
      `${station}: ${counted(entries, 'entry', 'entries')} verified${beginning(first)}${ending(last)}`,
    );
  return ExitCode.done;
}

/** @param before entries that were good; null where the journal could not be opened at all. A log that is broken
 * in its middle hides what follows: then the first bad entry is the first that did not come. */
function damaged(fault: Fault, before: number | null, json: boolean, means: Means): number {
  const { sequence } = fault.context;
  const firstBad = typeof sequence === 'number' ? sequence : before;
  if (json) means.print(JSON.stringify({ verified: false, entries: before ?? 0, firstBad }));
  else if (firstBad === null) means.print('NOT VERIFIED: the journal is damaged as a whole');
  else means.print(`NOT VERIFIED: the first bad sequence is ${firstBad}`);
  return showFault(fault, json, means);
}

function beginning(first: JournalEntry | null): string {
  return first === null || first.sequence === 0
    ? ''
    : `, from ${first.sequence} on: those before were given up once the backend had them`;
}

function ending(last: JournalEntry | null): string {
  return last === null ? '' : `; the last is ${last.sequence} of ${localSecond(last.at)}, hash ${last.hash}`;
}
