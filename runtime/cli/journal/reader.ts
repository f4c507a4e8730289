/**
 * Opens a journal for reading, whether its station runs or not, and finds that out by itself: who answers at the
 * socket lives; of the dead a copy is read. When the station starts or ends meanwhile, the other way is taken.
 */
import { asFault, Fault } from '../../core/faults.ts';
import { type Genesis, genesisHash, type JournalEntry, type Sha256 } from '../../core/journal/entry.ts';
import type { Files, OpenedJournal } from '../means.ts';
import { type Dial, liveEntries, type Tail, WireBroken } from './live.ts';
import { findJournal, type JournalPlace } from './place.ts';

/** A copy of a dead station's journal, as the driver opens it. */
export interface Copy extends AsyncDisposable {
  readonly entries: AsyncIterable<JournalEntry>;
}

export interface JournalWorld {
  readonly files: Files;
  readonly dial: Dial;
  /** @throws Fault JOURNAL_LOCKED while the station lives; JOURNAL_MISSING, JOURNAL_DAMAGED, FILE_UNREADABLE */
  openCopy(directory: string): Promise<Copy>;
  /** @throws Fault JOURNAL_MISSING, JOURNAL_DAMAGED, FILE_UNREADABLE */
  readGenesis(directory: string): Genesis;
  readonly sha256: Sha256;
  pause(ms: number): Promise<void>;
  talk(line: string): void;
}

/** A starting station has locked its journal and does not answer yet: it connects to board and broker first. */
const STARTING_WAIT_MS = 250;
const STARTING_WAITS_MAX = 24;
/** How often a station that goes away while it is read is sought again. */
const BREAKS_MAX = 2;

interface Source {
  readonly running: boolean;
  read(tail: Tail): AsyncIterable<JournalEntry>;
  close(): Promise<void>;
}

/** @throws Fault JOURNAL_MISSING, JOURNAL_LOCKED, JOURNAL_DAMAGED, FILE_UNREADABLE */
export async function openJournal(directory: string, world: JournalWorld): Promise<OpenedJournal> {
  const place = findJournal(directory, world.files);
  const genesis = world.readGenesis(place.directory);
  const first = await openSource(place, genesis, world);
  const present = { source: first };
  return {
    genesis,
    running: first.running,
    entries: follow(present, () => openSource(place, genesis, world), {
      next: 0,
      hash: genesisHash(genesis, world.sha256),
    }),
    [Symbol.asyncDispose]: () => present.source.close(),
  };
}

/** Reads from the present source, and from a new one where that breaks. */
async function* follow(
  present: { source: Source },
  reopen: () => Promise<Source>,
  start: Tail,
): AsyncGenerator<JournalEntry> {
  let tail = start;
  for (let breaks = 0; ; breaks++) {
    try {
      for await (const entry of present.source.read(tail)) {
        tail = { next: entry.sequence + 1, hash: entry.hash };
        yield entry;
      }
      return;
    } catch (error) {
      if (!(error instanceof WireBroken)) throw error;
      if (breaks >= BREAKS_MAX)
        throw new Fault(
          'JOURNAL_LOCKED',
          { why: `the station runs, but: ${error.message}` },
          { cause: error },
        );
      await present.source.close();
      present.source = await reopen();
    }
  }
}

/** @throws Fault JOURNAL_LOCKED when the station lives and does not answer */
async function openSource(place: JournalPlace, genesis: Genesis, world: JournalWorld): Promise<Source> {
  for (let waits = 0; ; waits++) {
    const live = place.socket === null ? null : await openLive(place.socket, genesis, world);
    if (live !== null) return live;
    try {
      return await openDead(place.directory, world);
    } catch (error) {
      const fault = asFault(error, 'JOURNAL_DAMAGED', { directory: place.directory });
      if (fault.code !== 'JOURNAL_LOCKED') throw fault;
      if (waits >= STARTING_WAITS_MAX || place.socket === null) throw locked(place);
      if (waits === 0) world.talk('The station is starting, or the journal is being copied: waiting.');
      await world.pause(STARTING_WAIT_MS);
    }
  }
}

async function openLive(path: string, genesis: Genesis, world: JournalWorld): Promise<Source | null> {
  const wire = await world.dial(path);
  if (wire === null) return null;
  return {
    running: true,
    read: (tail) => liveEntries(wire, genesis, tail, world.sha256),
    close: async () => wire.close(),
  };
}

async function openDead(directory: string, world: JournalWorld): Promise<Source> {
  const copy = await world.openCopy(directory);
  return {
    running: false,
    read: (tail) => from(copy.entries, tail.next),
    close: async () => copy[Symbol.asyncDispose](),
  };
}

async function* from(entries: AsyncIterable<JournalEntry>, next: number): AsyncGenerator<JournalEntry> {
  for await (const entry of entries) if (entry.sequence >= next) yield entry;
}

function locked({ directory, socket }: JournalPlace): Fault {
  const why =
    socket === null
      ? 'give the directory of the station, with station.json in it: that names its socket'
      : `nobody answers at ${socket}`;
  return new Fault('JOURNAL_LOCKED', { directory, why });
}
