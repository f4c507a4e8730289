/** Which entries of a journal are wanted: the last ones, those since a time, those of one unit's visits. */
import type { JournalEntry } from '../../core/journal/entry.ts';

export interface Selection {
  /** Null: all. */
  readonly last: number | null;
  /** Milliseconds since 1970; null: from the beginning. */
  readonly sinceMs: number | null;
  /** Digits with which the EID ends, all 32 or fewer; null: every unit. */
  readonly eidEnd: string | null;
}

/** An entry with its line, written when the entry was read: a line may name what earlier entries told. */
interface Written {
  readonly entry: JournalEntry;
  readonly line: string;
}

type Take = (written: Written) => void;

/** Prints the lines of the entries that are wanted, in order; where the journal is damaged those before it.
 * @param lineOf told every entry, also those that are not wanted */
export async function selectEntries(
  entries: AsyncIterable<JournalEntry>,
  selection: Selection,
  lineOf: (entry: JournalEntry) => string,
  print: (line: string) => void,
): Promise<void> {
  const { last, sinceMs, eidEnd } = selection;
  const kept: Written[] = [];
  const atOnce = last === null && eidEnd === null;
  const keep: Take = (written) => {
    if (sinceMs !== null && written.entry.at < sinceMs) return;
    if (atOnce) print(written.line);
    else kept.push(written);
    if (last !== null && eidEnd === null && kept.length > 2 * last + SLACK)
      kept.splice(0, kept.length - last);
  };
  const take = eidEnd === null ? keep : visitsOf(eidEnd, keep);
  try {
    for await (const entry of entries) take({ entry, line: lineOf(entry) });
  } finally {
    kept.sort((a, b) => a.entry.sequence - b.entry.sequence);
    for (const { line } of last === null ? kept : kept.slice(Math.max(0, kept.length - last))) print(line);
  }
}

/** Entries kept beyond the last ones, so that the list is not cut at each. */
const SLACK = 64;

/** Keeps whole visits from their arrival on: the unit is only known once it is identified. */
function visitsOf(eidEnd: string, keep: Take): Take {
  const unknown = new Map<string, Written[]>();
  const wanted = new Set<string>();
  return (written) => {
    const { fact } = written.entry;
    if (fact.nest === null) return;
    if (fact.name === 'arrived') unknown.set(fact.visit, []);
    if (fact.name === 'identified') {
      const before = unknown.get(fact.visit) ?? [];
      unknown.delete(fact.visit);
      if (fact.identity.eid.endsWith(eidEnd)) {
        wanted.add(fact.visit);
        for (const earlier of before) keep(earlier);
      } else wanted.delete(fact.visit);
    }
    if (wanted.has(fact.visit)) keep(written);
    else unknown.get(fact.visit)?.push(written);
    if (ENDS.has(fact.name)) {
      wanted.delete(fact.visit);
      unknown.delete(fact.visit);
    }
  };
}

const ENDS: ReadonlySet<string> = new Set(['released', 'diverted', 'interrupted']);
