/**
 * The simulated little line behind the gate controller: an infeed that brings one unit at a time, a clamp, and
 * two gates with a lane behind each. Every motion takes its configured time on the clock port, so the line runs
 * in real and in simulated time.
 *
 * The clamp is closed by its spring and opened by its valve; the infeed pushes a unit past it in either
 * position. A gate shuts behind a unit as soon as its exit sensor has seen it.
 */
import type { Lane } from '../../../runtime/core/gate/release.ts';
import type { Clock } from '../../../runtime/core/ports.ts';
import type { Sensed, Sensor } from './gate-controller.ts';
import { createMotions, type Motions } from './motions.ts';

/** How long each motion takes, milliseconds. */
export interface MotionTimes {
  readonly arriveMs: number;
  readonly clampMs: number;
  readonly gateMs: number;
  readonly leaveMs: number;
}

export interface LineOptions {
  readonly clock: Clock;
  readonly motion: MotionTimes;
  /** Puts the chip of unit `index` under the reader; its maker bounds how long that may take. */
  readonly seat: (index: number) => Promise<void>;
  readonly sense: (sensor: Sensor, active: boolean) => void;
  /** A unit could not be seated: the infeed has stopped. */
  readonly onSeatFailed: (index: number, error: unknown) => void;
}

/** What may be told to get stuck. */
export type Stuck = 'clamp' | 'gate' | 'unit';

export interface Line {
  /** Brings `count` units, one whenever the nest is empty and the gates are shut. */
  feed(count: number, firstIndex: number): void;
  /** Ends the feeding; a unit under way still arrives. */
  stop(): void;
  /** Index of the unit in the nest, null for none. */
  unit(): number | null;
  /** Units still to be fed. */
  waiting(): number;
  clampValve(open: boolean): void;
  gateValve(lane: Lane | null): void;
  /** Takes the unit out of the nest by hand; false when there is none. */
  takeByHand(): boolean;
  /** Puts unit `index` into the nest by hand. @throws RangeError when the nest is taken. */
  putByHand(index: number): Promise<void>;
  stick(what: Stuck, stuck: boolean): void;
  /** Time in which anything moved since the unit before this one left, milliseconds. */
  motionMs(): number;
  /** Starts `motionMs` anew: a unit has left. */
  nextUnit(): void;
  sensed(): Sensed;
}

/** The line as it stands; everything below works on one of these. */
interface Standing {
  readonly options: LineOptions;
  readonly motions: Motions;
  readonly now: Record<Sensor, boolean>;
  readonly stuck: Set<Stuck>;
  unit: number | null;
  /** A unit is on its way into the nest. */
  coming: boolean;
  waiting: number;
  nextIndex: number;
  /** The lane whose gate valve is open, and the one whose gate stands fully open. */
  valve: Lane | null;
  way: Lane | null;
}

export function createLine(options: LineOptions): Line {
  const line: Standing = {
    options,
    motions: createMotions(options.clock),
    now: { ...AT_REST },
    stuck: new Set(),
    unit: null,
    coming: false,
    waiting: 0,
    nextIndex: 0,
    valve: null,
    way: null,
  };
  return {
    feed: (count, firstIndex) => {
      line.waiting = count;
      line.nextIndex = firstIndex;
      bring(line);
    },
    stop: () => {
      line.waiting = 0;
    },
    unit: () => line.unit,
    waiting: () => line.waiting,
    clampValve: (open) => moveClamp(line, open),
    gateValve: (lane) => moveGates(line, lane),
    takeByHand: () => {
      if (line.unit === null) return false;
      vacate(line);
      return true;
    },
    putByHand: (index) => putByHand(line, index),
    stick: (what, on) => {
      if (on) line.stuck.add(what);
      else line.stuck.delete(what);
      depart(line);
    },
    motionMs: line.motions.movedMs,
    nextUnit: line.motions.restart,
    sensed: () => ({ ...line.now }),
  };
}

const AT_REST: Sensed = {
  'clamp-closed': true,
  'clamp-open': false,
  'gate-good-closed': true,
  'gate-reject-closed': true,
  'exit-good': false,
  'exit-reject': false,
  presence: false,
};

function sense(line: Standing, sensor: Sensor, active: boolean): void {
  if (line.now[sensor] === active) return;
  line.now[sensor] = active;
  line.options.sense(sensor, active);
}

function place(line: Standing, index: number): void {
  line.unit = index;
  sense(line, 'presence', true);
}

/** Fetches the next unit, if one waits and there is room. */
function bring(line: Standing): void {
  const shut = line.now['gate-good-closed'] && line.now['gate-reject-closed'];
  if (line.waiting === 0 || line.coming || line.unit !== null || !shut) return;
  const index = line.nextIndex;
  line.coming = true;
  line.waiting -= 1;
  line.nextIndex += 1;
  const { motion, seat, onSeatFailed } = line.options;
  seat(index).then(
    () =>
      line.motions.start('arrive', motion.arriveMs, () => {
        line.coming = false;
        place(line, index);
      }),
    (error: unknown) => {
      line.coming = false;
      line.waiting = 0;
      onSeatFailed(index, error);
    },
  );
}

async function putByHand(line: Standing, index: number): Promise<void> {
  if (line.unit !== null || line.coming) throw new RangeError('the nest is taken');
  line.coming = true;
  try {
    await line.options.seat(index);
  } finally {
    line.coming = false;
  }
  place(line, index);
}

function vacate(line: Standing): void {
  line.motions.cancel('leave');
  sense(line, 'presence', false);
  line.unit = null;
  bring(line);
}

/** Lets the unit go, if a gate stands open and the clamp holds it no longer. */
function depart(line: Standing): void {
  const { way } = line;
  if (line.unit === null || way === null || !line.now['clamp-open'] || line.stuck.has('unit')) return;
  line.motions.start('leave', line.options.motion.leaveMs, () => {
    sense(line, `exit-${way}`, true);
    vacate(line);
    sense(line, `exit-${way}`, false);
    bring(line);
  });
}

function moveClamp(line: Standing, open: boolean): void {
  const from: Sensor = open ? 'clamp-closed' : 'clamp-open';
  const to: Sensor = open ? 'clamp-open' : 'clamp-closed';
  if (line.stuck.has('clamp') || line.now[to]) return;
  if (!open) line.motions.cancel('leave');
  sense(line, from, false);
  line.motions.start('clamp', line.options.motion.clampMs, () => {
    sense(line, to, true);
    depart(line);
  });
}

function moveGates(line: Standing, lane: Lane | null): void {
  const before = line.valve;
  if (lane === before) return;
  line.valve = lane;
  line.way = null;
  line.motions.cancel('leave');
  const { gateMs } = line.options.motion;
  if (before !== null)
    line.motions.start(`gate-${before}`, gateMs, () => {
      sense(line, `gate-${before}-closed`, true);
      bring(line);
    });
  if (lane === null || line.stuck.has('gate')) return;
  sense(line, `gate-${lane}-closed`, false);
  line.motions.start(`gate-${lane}`, gateMs, () => {
    line.way = lane;
    depart(line);
  });
}
