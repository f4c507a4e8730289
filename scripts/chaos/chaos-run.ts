/** Rounds of misfortune on one stand: strikes while units flow, then calm until all have left, then the judgement. */
import { setTimeout as sleep } from 'node:timers/promises';
import { placeForeignChip } from '../kill/scenes.ts';
import { linePlaces } from '../laboratory/places.ts';
import { percentiles } from '../laboratory/tally.ts';
import { gather } from './evidence.ts';
import { judge } from './invariants.ts';
import { type Nemesis, NotStruck } from './nemesis.ts';
import { until } from './processes.ts';
import { type ChaosReport, noteOf, type RoundOutcome } from './report.ts';
import { type Round, roundsOf, type Strike } from './schedule.ts';
import { type ChaosStand, type PartName, partNames, startStand } from './stand.ts';

export interface ChaosOptions {
  readonly directory: string;
  readonly rounds: number;
  readonly seed: string;
  readonly nemeses: readonly Nemesis[];
  readonly onRound: (outcome: RoundOutcome) => void;
}

/** After the last supervised restart everything has left by then. */
const CALM_MS = 10_000;
/** The last events are on their way to the backend for so long at most. */
const STREAM_MS = 8_000;
/** A unit comes into the nest by then, also after the misfortune before. */
const ARRIVAL_MS = 30_000;
/** A round that has not come to rest by then is stuck. */
const ROUND_MS = 60_000;
const POLL_MS = 25;
const UNITS_PER_ROUND_MAX = 40;

/** Ends at the first round that fails: what it left is worth more than further rounds. */
export async function chaosRun(options: ChaosOptions): Promise<ChaosReport> {
  const { rounds, seed, nemeses } = options;
  const begun = performance.now();
  const stand = await startStand(
    linePlaces(options.directory),
    `chaos/${seed}`,
    rounds * UNITS_PER_ROUND_MAX,
  );
  const outcomes: RoundOutcome[] = [];
  const release = endInOrder(stand);
  try {
    const foreign = new Set<number>();
    for (const round of roundsOf(seed, rounds, nemeses)) {
      const outcome = await runRound(stand, round, foreign);
      outcomes.push(outcome);
      options.onRound(outcome);
      if (outcome.problems.length > 0) break;
    }
    const { infeed, parts } = stand;
    return {
      ...{ seed, asked: rounds, outcomes },
      units: { fed: infeed.fed(), left: infeed.left(), rejected: foreign.size },
      recoveriesMs: Object.fromEntries(
        partNames.map((name) => [
          name,
          { kills: parts[name].recoveriesMs.length, ...percentiles(parts[name].recoveriesMs) },
        ]),
      ),
      calmMs: percentiles(outcomes.map(({ calmMs }) => calmMs)),
      wallSeconds: Math.round((performance.now() - begun) / 1000),
    };
  } finally {
    release();
    await stand.stop();
  }
}

/** An interrupted run leaves nothing running. @returns how to be as before */
function endInOrder(stand: ChaosStand): () => void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    const exit = (): never => process.exit(1);
    stand.stop().then(exit, exit);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.on(name, end);
  return () => {
    for (const name of signals) process.off(name, end);
  };
}

async function runRound(stand: ChaosStand, round: Round, foreign: Set<number>): Promise<RoundOutcome> {
  const begun = performance.now();
  const problems: string[] = [];
  const ends = endsOf(stand);
  if (round.foreign !== null) {
    const unit = stand.infeed.fed() + 1 + round.foreign;
    placeForeignChip(stand.station, unit);
    foreign.add(unit);
  }
  await stand.infeed.feed(round.units);
  await strikeAll(stand, round, problems);
  const strikesOver = performance.now();
  problems.push(...endedUnasked(stand, round, ends));
  const calmMs = await calm(stand, strikesOver, problems);
  if (problems.length === 0) problems.push(...(await judged(stand, foreign)));
  return {
    ...{ number: round.number, strikes: round.strikes.map(noteOf), problems, calmMs },
    wallMs: Math.round(performance.now() - begun),
  };
}

/** One after the other, but those that come together. A strike waits for a unit at work. */
async function strikeAll(stand: ChaosStand, { strikes }: Round, problems: string[]): Promise<void> {
  const strike = async ({ nemesis, afterMs, draw }: Strike): Promise<void> => {
    try {
      await unitAtWork(stand, nemesis.on, afterMs);
      await nemesis.strike(stand, draw);
    } catch (error) {
      const how = error instanceof NotStruck ? 'did not strike' : 'failed';
      problems.push(`${nemesis.kind} ${how}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  let under: Promise<void>[] = [];
  for (const next of strikes) {
    if (!next.together) {
      await Promise.all(under);
      under = [];
      await allReady(stand, problems);
    }
    under.push(strike(next));
  }
  await Promise.all(under);
  await allReady(stand, problems);
}

async function allReady({ parts }: ChaosStand, problems: string[]): Promise<void> {
  for (const name of partNames)
    await parts[name].ready().catch((error: unknown) => problems.push(String(error)));
}

/** Returns while a unit is in the nest, `afterMs` after it came, and the struck parts run. @throws NotStruck */
async function unitAtWork(
  { infeed, parts }: ChaosStand,
  struck: readonly PartName[],
  afterMs: number,
): Promise<void> {
  const end = performance.now() + ARRIVAL_MS;
  for (let wait = afterMs; performance.now() < end; wait = Math.floor(wait / 2)) {
    await infeed.tend();
    const before = infeed.present();
    if (before === null && infeed.arrived() === infeed.fed()) await infeed.feed(2);
    if (!(await until(() => infeed.present() !== null, POLL_MS * 20, POLL_MS))) continue;
    await sleep(wait);
    for (const name of struck) await parts[name].ready();
    if (infeed.present() !== null) return;
  }
  throw new NotStruck('no unit came into the nest');
}

const endsOf = ({ parts }: ChaosStand): Readonly<Record<PartName, number>> =>
  Object.fromEntries(partNames.map((name) => [name, parts[name].ends()])) as Record<PartName, number>;

/** Programs that ended though none of the misfortunes explains it. */
function endedUnasked(
  stand: ChaosStand,
  { strikes }: Round,
  before: Readonly<Record<PartName, number>>,
): readonly string[] {
  const after = endsOf(stand);
  const may = new Set(strikes.flatMap(({ nemesis }) => nemesis.mayEnd));
  return partNames
    .filter((name) => after[name] > before[name] && !may.has(name))
    .map((name) => `${name} ended, which none of the misfortunes explains`);
}

/** Waits until every unit has left. @returns how long after the last strike and restart that was */
async function calm(stand: ChaosStand, strikesOver: number, problems: string[]): Promise<number> {
  const { infeed, parts } = stand;
  const since = (): number => Math.max(strikesOver, ...partNames.map((name) => parts[name].upSince()));
  const end = performance.now() + ROUND_MS;
  const done = async (): Promise<boolean> => {
    if (performance.now() > since() + CALM_MS) return true;
    await infeed.tend();
    return infeed.left() === infeed.fed();
  };
  await until(done, end - performance.now(), POLL_MS);
  const calmMs = Math.round(performance.now() - since());
  if (infeed.left() < infeed.fed()) {
    const there = infeed.present();
    const where = there === null ? 'none is in the nest' : `unit ${there.unit} is in the nest`;
    problems.push(`${infeed.fed() - infeed.left()} units have not left after ${calmMs} ms of calm; ${where}`);
  }
  return calmMs;
}

/** The last entries may still be on their way to the backend. */
async function judged(stand: ChaosStand, foreign: ReadonlySet<number>): Promise<readonly string[]> {
  await sleep(250); // Chips are written 100 ms after their last change.
  let problems: readonly string[] = [];
  await until(
    async () => {
      problems = judge(await gather(stand), foreign);
      return !problems.some((problem) => problem.includes('never reached the backend'));
    },
    STREAM_MS,
    500,
  );
  return problems;
}
