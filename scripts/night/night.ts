/** One night of a simulated plant: a story is told, everything comes to rest, and every rule is asked. */
import { createHash } from 'node:crypto';
import type { GateLogLine } from '../../drivers/jig/controller/fixture.ts';
import { setUpAnewIfHeld } from './disk-mischief.ts';
import { createMischief, mendAll } from './mischief.ts';
import { createPlant, type Place, type Plant } from './plant.ts';
import { gateRules } from './rules/gate.ts';
import { journalRules } from './rules/journal.ts';
import { progressRules } from './rules/progress.ts';
import { recordRules } from './rules/records.ts';
import { departures, type Night, type Rule, type Violation } from './rules/rule.ts';
import type { MishapKind, Story } from './story.ts';
import type { Supervised } from './supervisor.ts';

/** Node ends a program whose promise fails with nobody listening: asked of the process, not of the plant. */
const unheardRule: Rule = { name: 'I14', says: 'no program ends by a failure that nobody hears of' };

export const rules: readonly Rule[] = [
  ...journalRules,
  ...gateRules,
  ...recordRules,
  ...progressRules,
  unheardRule,
];

export interface NightReport {
  readonly seed: string;
  readonly violations: readonly Violation[];
  /** SHA-256 over gate logs, journals and chips: the same story gives the same. */
  readonly history: string;
  readonly units: number;
  readonly released: number;
  readonly rejected: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly starts: number;
  /** How often each program crossed a port. */
  readonly crossings: Readonly<Record<string, number>>;
  readonly struck: Readonly<Partial<Record<MishapKind, number>>>;
  readonly crossed: readonly string[];
  readonly died: readonly string[];
  /** Reasons for which a gate controller refused or closed. */
  readonly gateWords: readonly string[];
  /** Codes that units were held with, and that ended programs. */
  readonly faults: readonly string[];
}

/** Longest that anything may take after the last mishap, simulated. */
export const REST_MS = 20 * 60_000;
/** After the last unit: what is said upward, and what comes too late. */
const DRAIN_MS = 12_000;
/** A unit that is still there so long after the last mishap waits for the line to go on. */
const GOES_ON_MS = 60_000;
/** More events than any night has; a night that never rests ends here. */
const EVENTS_MAX = 400_000;

export async function liveThrough(story: Story): Promise<NightReport> {
  const mischief = createMischief(story);
  const { seed, stations, units, weather, fates, realCrypto } = story;
  const manners = Object.fromEntries(
    Object.entries(story.liars).map(([unit, name]) => [unit, { name }]),
  ) as Parameters<typeof createPlant>[0]['manners'];
  const plant = await createPlant({
    seed,
    stations,
    units,
    weather,
    fates,
    realCrypto,
    manners,
    watch: mischief.watch,
  });
  const violations: Violation[] = [];
  const blameFor =
    ({ name }: Rule) =>
    (text: string): void => {
      violations.push({ rule: name, atMs: plant.clock.monotonicMs(), text });
    };
  const night = (done: boolean): Night => ({ story, plant, mischief, done });
  for (const rule of rules) rule.watch?.(plant, story, blameFor(rule));
  const judged = (line: GateLogLine, place: Place): void => {
    for (const rule of rules) rule.gate?.(line, place, night(false), blameFor(rule));
  };
  /** What the gates did while the store was an old one; judged by what it holds when it is whole again. */
  const later: (() => void)[] = [];
  for (const place of plant.places)
    place.fixture.onWitness((line) => {
      if (plant.rolledBack || plant.ledgerRolledBack) later.push(() => judged(line, place));
      else judged(line, place);
    });
  const unheard = (reason: unknown): void => {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    violations.push({ rule: 'I14', atMs: plant.clock.monotonicMs(), text });
  };
  process.on('unhandledRejection', unheard);
  mischief.begin(plant);
  const share = Math.ceil(units / stations);
  for (const [i, { fixture }] of plant.places.entries())
    fixture.line.feed(Math.max(0, Math.min(share, units - i * share)), 1 + i * share);
  const { done, events } = await pass(plant, story);
  process.off('unhandledRejection', unheard);
  for (const judge of later) judge();
  for (const rule of rules) await rule.end?.(night(done), blameFor(rule));
  return reportOf(plant, story, { violations, events, mischief });
}

/** Lets time pass until every unit has left and the mishaps are over, or until time is up. */
async function pass(plant: Plant, story: Story): Promise<{ done: boolean; events: number }> {
  const { clock } = plant;
  const { units, calmMs } = story;
  const taken = new Set<number>();
  const rest = (): boolean => {
    if (clock.monotonicMs() < calmMs) return false;
    const left = new Set([...departures(plant).map(({ unit }) => unit), ...taken]);
    if (Array.from({ length: units }, (_, i) => i + 1).some((unit) => !left.has(unit))) return false;
    const empty = plant.places.every(({ fixture: { line } }) => line.unit() === null && line.waiting() === 0);
    const idle = ({ name, station, life }: Supervised): boolean =>
      life !== null &&
      (!name.startsWith('station') ||
        (station?.nests[0]?.view.state === 'vacant' && station.journalTrouble === null));
    return empty && [...plant.programs.values()].every(idle);
  };
  const limit = calmMs + REST_MS;
  let events = 0;
  let mended = false;
  let lookMs = calmMs + GOES_ON_MS;
  while (!rest() && events < EVENTS_MAX && (await clock.runNext(limit))) {
    events += 1;
    if (!mended && clock.monotonicMs() >= calmMs) {
      mendAll(plant);
      mended = true;
    }
    if (clock.monotonicMs() >= lookMs) {
      goOn(plant, story, taken);
      lookMs += GOES_ON_MS;
    }
  }
  const done = rest();
  const end = clock.monotonicMs() + DRAIN_MS;
  while (done && (await clock.runNext(end))) events += 1;
  return { done, events };
}

/** The line goes on: empty nests get one more unit each, since what became of an arrival is proved by the one after it.
 * And somebody takes out liars that are held for a person. */
function goOn(plant: Plant, { units, liars }: Story, taken: Set<number>): void {
  const { places, programs, chips } = plant;
  for (const [i, place] of places.entries()) {
    const { name, fixture } = place;
    setUpAnewIfHeld(plant, place);
    const unit = fixture.line.unit();
    const held = programs.get(name)?.station?.nests[0]?.view.held;
    const another = units + 1 + i;
    if (unit === null && fixture.line.waiting() === 0 && !chips.has(another)) fixture.line.feed(1, another);
    if (unit === null || liars[unit] === undefined || held?.code !== 'ATTEMPTS_EXHAUSTED') continue;
    fixture.line.takeByHand();
    taken.add(unit);
  }
}

function reportOf(
  plant: Plant,
  story: Story,
  told: {
    readonly violations: readonly Violation[];
    readonly events: number;
    readonly mischief: Night['mischief'];
  },
): NightReport {
  const { mischief, violations, events } = told;
  const gone = departures(plant);
  const gateLog = plant.places.flatMap((place) => place.gateLog);
  const held = plant.log.lines.flatMap(({ event, fields }) =>
    event === 'unit-held' ? [String(fields.code)] : [],
  );
  return {
    seed: story.seed,
    violations,
    history: historyOf(plant),
    units: story.units,
    released: gone.filter(({ lane }) => lane === 'good').length,
    rejected: gone.filter(({ lane }) => lane === 'reject').length,
    simulatedMs: plant.clock.monotonicMs(),
    events,
    starts: [...plant.programs.values()].reduce((sum, { starts }) => sum + starts, 0),
    crossings: Object.fromEntries(mischief.counts),
    struck: Object.fromEntries(mischief.struck),
    crossed: [...mischief.crossed],
    died: [...mischief.died],
    gateWords: [
      ...new Set(gateLog.flatMap(({ event, reason }) => (reason === 'none' ? [] : [`${event} ${reason}`]))),
    ],
    faults: [...new Set([...held, ...[...plant.programs.values()].flatMap(({ ends }) => ends)])],
  };
}

function historyOf({ places, chips }: Plant): string {
  const hash = createHash('sha256');
  for (const { gateLog, ownDisks } of places) {
    hash.update(JSON.stringify(gateLog));
    for (const disk of ownDisks)
      for (const [key, value] of [...disk.durable].sort(([a], [b]) => (a < b ? -1 : 1)))
        hash.update(key).update(value);
  }
  for (const [unit, chip] of [...chips].sort(([a], [b]) => a - b))
    hash.update(`${unit}${JSON.stringify(chip.state)}`);
  return hash.digest('hex');
}
