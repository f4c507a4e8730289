/**
 * Gives up the oldest entries of the journal once the backend has them, so that neither disk nor start grow for ever.
 *
 * First an entry says up to where, and what later entries are judged by; when the backend has acknowledged that one
 * too, they go. So the backend's log holds where each chain was cut, and a beginning that is missing otherwise is
 * damage. It is done while no unit is in work, some thousand entries at a time.
 */
import type { StationConfig } from '../../config/station.ts';
import { CutFinder, surplusOf } from '../core/journal/retention.ts';
import type { State } from '../core/operation/transitions.ts';
import type { LogMemory } from './log-memory.ts';
import type { Nest } from './nest.ts';
import type { Past } from './past.ts';
import type { StationPorts } from './ports.ts';

export interface Retention {
  /** Everything up to `sequence` has arrived upstream, and is noted so. @throws Fault JOURNAL_POISONED */
  acknowledged(sequence: number): Promise<void>;
}

/** States in which nothing waits for the journal. */
const AT_REST: ReadonlySet<State> = new Set(['vacant', 'held', 'reject-held']);
/** A line that never rests is not waited for any longer when the journal has grown to so many times what is kept. */
const PATIENCE = 2;

/** @param past what is in the journal at the start */
export function createRetention(
  { journal: { keepEntries, keepDays } }: Pick<StationConfig, 'journal'>,
  { journal, clock, log }: Pick<StationPorts, 'journal' | 'clock' | 'log'>,
  {
    past,
    memory,
    nests,
    shift,
  }: {
    readonly past: Past;
    readonly memory: LogMemory;
    readonly nests: () => readonly Nest[];
    /** Receipt of the shift that goes on; null for none. */
    readonly shift: () => string | null;
  },
): Retention {
  const keep = { entries: keepEntries, days: keepDays };
  let counters = past.cutAt(journal.cut)?.counters ?? {};
  let announced = past.announcedAfter(journal.cut);
  const finish = async (): Promise<void> => {
    if (announced === null) return;
    const { sequence, fact } = announced;
    await journal.giveUp(sequence);
    log.write('info', 'journal-cut', { upTo: fact.upTo.sequence });
    counters = fact.counters;
    announced = null;
  };
  const announce = async (upTo: number): Promise<void> => {
    const present = upTo - (journal.cut?.sequence ?? -1);
    const pressed = nests().some(({ view }) => view.held?.code === 'JOURNAL_SPACE_LOW');
    const resting = nests().every(({ view }) => AT_REST.has(view.state));
    if (!resting && present < keep.entries * PATIENCE) return;
    const surplus = surplusOf(present, keep, clock.now(), pressed);
    const finder = new CutFinder(surplus, counters, openVisits(nests()));
    for await (const entry of journal.read()) if (entry.sequence > upTo || !finder.take(entry)) break;
    if (finder.found === null) return;
    const { found } = finder;
    const receipt = shift();
    const fact = {
      name: 'cut',
      nest: null,
      upTo: found.upTo,
      counters: found.counters,
      checkpoint: memory.note,
      ...(receipt === null ? {} : { shift: receipt }),
    } as const;
    const [entry] = await journal.append([{ fact, at: clock.now() }]);
    if (entry !== undefined) announced = { sequence: entry.sequence, fact };
  };
  return {
    acknowledged: async (sequence) => {
      if (announced !== null && announced.sequence <= sequence) await finish();
      if (announced === null) await announce(sequence);
    },
  };
}

/** Visits that have not ended. */
function openVisits(nests: readonly Nest[]): ReadonlySet<string> {
  return new Set(nests.flatMap(({ visit }) => (visit === null ? [] : [visit.visit])));
}
