/** One station: whether it runs, what started last, where its nests stand, what it wrote last. */
import { asFault, type Fault } from '../../core/faults.ts';
import type { GateKind } from '../../core/gate/release.ts';
import type { JournalEntry } from '../../core/journal/entry.ts';
import { shortLines } from '../journal/short.ts';
import type { Means } from '../means.ts';
import { NestFold, type NestState } from './nest-state.ts';

export interface StationState {
  readonly name: string;
  readonly directory: string;
  /** Null where not even that could be found out. */
  readonly running: boolean | null;
  readonly started: {
    readonly atMs: number;
    readonly version: string;
    readonly authority: string;
    /** Journals of before this was told speak of gate controllers: there was nothing else. */
    readonly gate: GateKind;
  } | null;
  readonly nests: readonly NestState[];
  readonly entries: number;
  readonly last: readonly { readonly line: string; readonly entry: JournalEntry }[];
  /** Why this is all that is known: the journal is missing, locked or damaged. */
  readonly fault: Fault | null;
}

const LAST_ENTRIES = 5;

/** Never throws a fault of one station: the others are shown too. */
export async function stationState(name: string, directory: string, means: Means): Promise<StationState> {
  const folds = new Map(nestsIn(directory, means).map((nest) => [nest, new NestFold(nest)]));
  const last: StationState['last'][number][] = [];
  const short = shortLines(means.paint);
  let running: boolean | null = null;
  let station = name;
  let started: StationState['started'] = null;
  let entries = 0;
  let first: number | null = null;
  const foldOf = (nest: string): NestFold => {
    const fold = folds.get(nest) ?? new NestFold(nest);
    folds.set(nest, fold);
    return fold;
  };
  let fault: Fault | null = null;
  try {
    await using journal = await means.openJournal(directory);
    running = journal.running;
    station = journal.genesis.station;
    for await (const entry of journal.entries) {
      const { at, fact } = entry;
      entries += 1;
      last.push({ line: short(entry), entry });
      if (last.length > LAST_ENTRIES) last.shift();
      if (fact.name === 'started') {
        const { version, authority, gate = 'controller' } = fact;
        started = { atMs: at, version, authority, gate };
      }
      first ??= entry.sequence;
      if (fact.name === 'cut' && fact.upTo.sequence === first - 1)
        for (const [nest, counters] of Object.entries(fact.counters)) foldOf(nest).add(counters);
      if (fact.nest !== null) foldOf(fact.nest).take(entry);
    }
  } catch (error) {
    fault = asFault(error, 'JOURNAL_DAMAGED', { directory });
  }
  const nests = [...folds.values()].map((fold) => fold.view());
  return { name: station, directory, running, started, nests, entries, last, fault };
}

/** Nests that station.json names, so that one without a single visit is shown too. */
function nestsIn(directory: string, { files }: Means): readonly string[] {
  const file = [`${directory}/station.json`, `${files.parent(directory)}/station.json`].find(files.exists);
  if (file === undefined) return [];
  try {
    const { nests } = JSON.parse(files.read(file)) as { nests?: readonly { readonly name?: unknown }[] };
    if (!Array.isArray(nests)) return [];
    return nests.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  } catch (error) {
    if (error instanceof SyntaxError) return []; // The journal tells the nests that were used.
    throw error;
  }
}
