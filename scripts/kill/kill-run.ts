/**
 * Kills the station at named points, each with a unit of its own, starts it again and lets the unit finish.
 * Afterwards the board's gate log, the chips and the fleet database say whether anything was lost, done
 * twice, or released without its receipts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GateLine } from '../laboratory/fixture-world.ts';
import { writeTicket } from '../laboratory/laboratory.ts';
import { type Line, type LineStation, startLine } from '../laboratory/line.ts';
import { linePlaces } from '../laboratory/places.ts';
import {
  BEFORE_RECALL,
  placeForeignChip,
  placeSmallChip,
  type Scene,
  sceneOf,
  stickClamp,
  takeAndPutBack,
} from './scenes.ts';
import { judge } from './verdict.ts';

export interface KillOptions {
  readonly directory: string;
  readonly points: readonly string[];
  readonly onPoint: (outcome: PointOutcome) => void;
}

export interface PointOutcome {
  readonly point: string;
  readonly unit: number;
  readonly scene: Scene;
  /** Whether the station died there. */
  readonly reached: boolean;
  readonly lane: 'good' | 'reject' | null;
  readonly recoveryMs: number;
}

export interface KillReport {
  readonly outcomes: readonly PointOutcome[];
  /** What is wrong, in sentences; empty when nothing is. */
  readonly problems: readonly string[];
}

/** Longest way of one unit, kill and restart included. */
const UNIT_DEADLINE_MS = 45_000;

export async function killRun(options: KillOptions): Promise<KillReport> {
  const places = linePlaces(options.directory);
  const line = await startLine({ places, stations: 1, seed: 'kill', onProgress: () => undefined });
  try {
    const [station] = line.stations;
    if (station === undefined) throw new RangeError('a line without a station');
    await writeTicket(places, [places.station(1)], {
      run: 1,
      units: options.points.length,
      nowMs: Date.now(),
    });
    const gateLog: GateLine[] = [];
    station.world.onGate((gate) => gateLog.push(gate));
    const outcomes: PointOutcome[] = [];
    for (const [i, point] of options.points.entries()) {
      const outcome = await killAt(line, station, point, i + 1, gateLog);
      outcomes.push(outcome);
      options.onPoint(outcome);
    }
    await sleep(500); // The last events are streamed upward.
    await station.program()?.stop();
    return { outcomes, problems: await judge(line, station, outcomes, gateLog) };
  } finally {
    await line.stop();
  }
}

async function killAt(
  line: Line,
  station: LineStation,
  point: string,
  unit: number,
  gateLog: readonly GateLine[],
): Promise<PointOutcome> {
  const scene = sceneOf(point);
  const { world } = station;
  const places = line.laboratory.places.station(1);
  const left = (): GateLine | undefined =>
    gateLog.find((gate) => gate.event === 'LEFT' && gate.unit === unit);
  const until = performance.now() + UNIT_DEADLINE_MS;
  if (scene === 'foreign-chip') placeForeignChip(places, unit);
  if (scene === 'small-chip') placeSmallChip(places, line.laboratory.places.vendor, unit);
  if (scene === 'stuck-clamp' || scene === 'taken-by-hand') await stickClamp(world, true);
  await station.program()?.stop();
  if (scene === 'second-try') {
    await station.start({ name: BEFORE_RECALL, skip: 0 });
    await world.feed(1, unit);
    await died(station, until);
    await station.start({ name: point, skip: 0 });
  } else {
    await startTo(station, point);
    await world.feed(1, unit);
  }
  if (scene === 'taken-by-hand') {
    await arrivedAt(gateLog, unit, until);
    await sleep(300);
    await takeAndPutBack(world, unit);
  }
  if (scene === 'stuck-clamp') void sleep(3_000).then(() => stickClamp(world, false));
  const reached = await diedOrDone(station, () => left() !== undefined, until);
  const killedAt = performance.now();
  if (scene === 'stuck-clamp' || scene === 'taken-by-hand') await stickClamp(world, false);
  if (reached) await station.start();
  while (left() === undefined && performance.now() < until) {
    if (station.program() === null) await station.start();
    await sleep(20);
  }
  await sleep(150); // The fact that follows the departure.
  return {
    point,
    unit,
    scene,
    reached,
    lane: left()?.lane ?? null,
    recoveryMs: Math.round(performance.now() - killedAt),
  };
}

/** A point may lie before the station is ready. */
async function startTo(station: LineStation, point: string): Promise<void> {
  try {
    await station.start({ name: point, skip: 0 });
  } catch (error) {
    if (!String(error).includes('(SIGKILL)')) throw error;
  }
}

async function died(station: LineStation, until: number): Promise<void> {
  while (station.program() !== null && performance.now() < until) await sleep(10);
}

/** True when the station ended by itself; points behind the departure are waited for a little. */
async function diedOrDone(station: LineStation, done: () => boolean, until: number): Promise<boolean> {
  let grace = 0;
  while (performance.now() < until) {
    if (station.program() === null) return true;
    if (done() && ++grace > 75) return false;
    await sleep(10);
  }
  return false;
}

async function arrivedAt(gateLog: readonly GateLine[], unit: number, until: number): Promise<void> {
  while (!gateLog.some((gate) => gate.event === 'ARRIVED' && gate.unit === unit) && performance.now() < until)
    await sleep(10);
}
