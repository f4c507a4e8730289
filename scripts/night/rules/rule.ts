/** What a rule of the night is, and what rules look at. */
import type { GateLogLine } from '../../../drivers/jig/controller/fixture.ts';
import type { JournalDisk } from '../../../drivers/journal/in-memory.ts';
import { toText } from '../../../runtime/core/bytes.ts';
import type { EntryMark, NewEntry } from '../../../runtime/core/journal/entry.ts';
import type { Fact } from '../../../runtime/core/operation/facts.ts';
import type { Mischief } from '../mischief.ts';
import type { Place, Plant } from '../plant.ts';
import type { Story } from '../story.ts';

export interface Violation {
  readonly rule: string;
  /** Simulated, since the beginning of the night. */
  readonly atMs: number;
  readonly text: string;
}

export interface Night {
  readonly story: Story;
  readonly plant: Plant;
  readonly mischief: Mischief;
  /** Whether the night ended because all was done; else its time was up. */
  readonly done: boolean;
}

export type Blame = (text: string) => void;

export interface Rule {
  /** As the reliability programme numbers them. */
  readonly name: string;
  readonly says: string;
  /** Called before anything happens. */
  readonly watch?: (plant: Plant, story: Story, blame: Blame) => void;
  /** Called for each line that the gate's own witness writes. */
  readonly gate?: (line: GateLogLine, place: Place, night: Night, blame: Blame) => void;
  /** Called when the night is over. */
  readonly end?: (night: Night, blame: Blame) => void | Promise<void>;
}

interface Read {
  readonly facts: Fact[];
  /** Of the first fact, and of the next. */
  readonly first: number;
  readonly next: number;
}
const read = new WeakMap<JournalDisk, Read>();

/** The facts that are on the disk, past fsync, and those that were there when it was last read. */
export function durableFacts(disk: JournalDisk): readonly Fact[] {
  const begin = (cutOf(disk)?.sequence ?? -1) + 1;
  const { facts, first, next: known } = read.get(disk) ?? { facts: [], first: begin, next: begin };
  let next = known;
  for (
    let stored = disk.durable.get(keyOf(next));
    stored !== undefined;
    stored = disk.durable.get(keyOf(next))
  ) {
    const text = toText(stored);
    facts.push((JSON.parse(text.slice(0, text.lastIndexOf(' '))) as NewEntry).fact);
    next += 1;
  }
  read.set(disk, { facts, first, next });
  return facts;
}

/** Those of the entries from `sequence` on. */
export function durableFactsFrom(disk: JournalDisk, sequence: number): readonly Fact[] {
  const facts = durableFacts(disk);
  return facts.slice(Math.max(0, sequence - (read.get(disk)?.first ?? 0)));
}

/** How many entries were ever written to it, those that it gave up included. */
export function writtenTo({ durable }: JournalDisk): number {
  return [...durable.keys()].reduce(
    (most, key) => (key.startsWith('j!') ? Math.max(most, Number(key.slice(2)) + 1) : most),
    0,
  );
}

/** The last entry that this disk's journal has given up; null for none. */
export function cutOf({ durable }: JournalDisk): EntryMark | null {
  const stored = durable.get('cut');
  return stored === undefined ? null : (JSON.parse(toText(stored)) as EntryMark);
}

/** The facts of one arrival, those of its resumptions included, on whatever storage they were written. */
export function factsOfArrival({ ownDisks }: Place, arrival: number): readonly Fact[] {
  return ownDisks.flatMap((disk) => factsOn(disk, arrival));
}

function factsOn(disk: JournalDisk, arrival: number): readonly Fact[] {
  const facts = durableFacts(disk);
  const start = facts.findLastIndex((fact) => fact.name === 'arrived' && fact.arrival === arrival);
  if (start < 0) return [];
  const rest = facts.slice(start + 1).findIndex((fact) => fact.name === 'arrived');
  return rest < 0 ? facts.slice(start) : facts.slice(start, start + 1 + rest);
}

function keyOf(sequence: number): string {
  return `j!${String(sequence).padStart(16, '0')}`;
}

/** Lines of the gates' witnesses that say that a unit has left. */
export function departures({ places }: Plant): readonly GateLogLine[] {
  return places.flatMap(({ gateLog }) => gateLog.filter(({ event }) => event === 'LEFT'));
}
