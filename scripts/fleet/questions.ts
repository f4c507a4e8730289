/** What the loaded fleet is asked, how long that takes, and whether a naive reading of the whole log says the same. */
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { radiusOf } from '../../runtime/cli/fleet/blast-radius.ts';
import { rebuild } from '../../runtime/cli/fleet/history.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import { fewWords } from './few-words.ts';
import { opinionOf, type saidIn, touchedBy, unitIn } from './oracle.ts';
import { SPAN_MS, START_MS } from './units.ts';

const SHIFT_MS = 8 * 3_600_000;

export interface Question {
  readonly eid: string;
  readonly at: string;
}

export interface Times {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Units and instants, drawn from a seed; one in twenty is of a unit that was never made. */
export function questionsOf(seed: number, count: number, units: number): readonly Question[] {
  let state = seed >>> 0;
  const next = (below: number): number => {
    // Numerical Recipes’ generator: enough to choose units by.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
  return Array.from({ length: count }, () => ({
    eid: eidOfIndex(next(Math.ceil(units * 1.05))),
    at: instantOf(START_MS + next(SPAN_MS + 4 * 3_600_000)),
  }));
}

/** Asks one after the other. */
export async function timeStates(store: FleetStore, questions: readonly Question[]): Promise<Times> {
  const took: number[] = [];
  for (const { eid, at } of questions) {
    const began = performance.now();
    await store.transaction((tx) => rebuild(eid, at, tx));
    took.push(performance.now() - began);
  }
  return timesOf(took);
}

/** Every station's shift of eight hours. */
export async function timeShifts(
  store: FleetStore,
  count: number,
): Promise<Times & { readonly units: number }> {
  const took: number[] = [];
  let units = 0;
  for (let i = 0; i < count; i++) {
    const from = START_MS + (i % 9) * SHIFT_MS;
    const span = { from: instantOf(from), to: instantOf(from + SHIFT_MS) };
    const began = performance.now();
    const radius = await store.transaction((tx) =>
      radiusOf({ key: 'station', value: `station-${1 + i}`, ...span }, tx),
    );
    took.push(performance.now() - began);
    units = Math.max(units, radius.units.length);
  }
  return { ...timesOf(took), units };
}

/** The certificates of a tenth of the fleet: by the traces of an order, or by the batch in their records. */
export async function timeCohort(
  store: FleetStore,
  by: 'order' | 'batch',
  limit: number,
): Promise<{ readonly ms: number; readonly units: number }> {
  const began = performance.now();
  const rows = await store.transaction((tx) =>
    by === 'order'
      ? tx.certificatesTraced('ticket', 'T-3', { from: null, to: null }, limit)
      : tx.certificatesBy('batch', 'B-3', limit),
  );
  return { ms: performance.now() - began, units: rows.length };
}

export interface Compared {
  readonly asked: number;
  /** The first questions that were answered otherwise. */
  readonly differ: readonly string[];
}

const LEAVES_PER_READ = 20_000;

/** One pass over all leaves keeps those of the units that are asked about; what is told of each must be the same. */
export async function compareStates(
  store: FleetStore,
  questions: readonly Question[],
  read: typeof saidIn,
): Promise<Compared> {
  const byUnit = new Map<string, ReturnType<typeof saidIn>[]>(questions.map(({ eid }) => [eid, []]));
  const plans: ReturnType<typeof saidIn>[] = [];
  await eachLeaf(store, read, (said) => {
    if (said.kind === 'revocation') plans.push(said);
    else byUnit.get(unitIn(said) ?? '')?.push(said);
  });
  const differ: string[] = [];
  for (const { eid, at } of questions) {
    const log = [...(byUnit.get(eid) ?? []), ...plans].sort((a, b) => a.index - b.index);
    const wanted = JSON.stringify(opinionOf(eid, at, log));
    const { state } = await store.transaction((tx) => rebuild(eid, at, tx));
    const told = JSON.stringify(fewWords(state));
    if (told !== wanted && differ.length < 5)
      differ.push(`${eid} at ${at}: ${told}, the oracle says ${wanted}`);
  }
  return { asked: questions.length, differ };
}

/** Shifts of stations, as the traces find them and as reading everything does. */
export async function compareShifts(
  store: FleetStore,
  count: number,
  read: typeof saidIn,
): Promise<Compared> {
  const log: ReturnType<typeof saidIn>[] = [];
  const shifts = Array.from({ length: count }, (_, i) => {
    const from = START_MS + ((i * 7) % 9) * SHIFT_MS;
    return { value: `station-${2 + ((i * 3) % 39)}`, from: instantOf(from), to: instantOf(from + SHIFT_MS) };
  });
  await eachLeaf(store, read, ({ index, at, kind, body }) => {
    if (kind === 'station-event') return;
    // What the oracle looks at and no more: a fleet's leaves do not fit into memory.
    const { station, eid, revocation } = body;
    if (shifts.some(({ value, from, to }) => value === station && at >= from && at < to))
      log.push({ index, at, kind, body: { station, eid, revocation } });
  });
  const differ: string[] = [];
  for (const { value, from, to } of shifts) {
    const radius = await store.transaction((tx) => radiusOf({ key: 'station', value, from, to }, tx));
    const found = radius.units.map(({ eid }) => eid).sort();
    const wanted = touchedBy('station', value, { from, to }, log);
    if (found.join() !== wanted.join())
      differ.push(`${value} from ${from}: ${found.length} units, the oracle says ${wanted.length}`);
  }
  return { asked: count, differ: differ.slice(0, 5) };
}

async function eachLeaf(
  store: FleetStore,
  read: typeof saidIn,
  take: (said: ReturnType<typeof saidIn>) => void,
): Promise<void> {
  for (let from = 0; ; from += LEAVES_PER_READ) {
    const rows = await store.transaction((tx) => tx.leaves(from, LEAVES_PER_READ));
    for (const { index, entry } of rows) take(read(index, entry));
    if (rows.length < LEAVES_PER_READ) return;
  }
}

function timesOf(took: readonly number[]): Times {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
