/**
 * Outputs that are set only when the board says so, and the heartbeat over every pin in use.
 *
 * A write is F5 and a PIN_STATE query, three tries at most. Replies carry no number, and yet an old one cannot
 * confirm a new level: replies come in the order of the queries, writes to one pin wait for each other, and a
 * write that stays without its level ends the connection. So between two levels of a pin every earlier level
 * has been read already.
 *
 * The heartbeat asks one pin per beat, in turn. It proves link, firmware, mode and level at once, and its F7
 * ends a broken sysex. Inputs take part because a board that was reset in silence shows its outputs at LOW,
 * which may be what they should be, but its inputs without their mode.
 */
import { Fault } from '../../../runtime/core/faults.ts';
import type { FirmataIo } from './handshake.ts';
import type { JigDeadlines } from './options.ts';

export interface PinsOptions {
  readonly io: FirmataIo;
  readonly deadlines: JigDeadlines;
  readonly send: (bytes: Uint8Array) => void;
  /** Called once when the board does not keep its word. */
  readonly onFault: (fault: Fault) => void;
}

export interface Pins {
  /** Makes the pin an output at `level`. @throws Fault JIG_LINK_LOST */
  arm(pin: number, level: 0 | 1): Promise<void>;
  /** Watches the mode of an input that was set before. */
  watchInput(pin: number, mode: number): void;
  /** @param act sends the level; the query follows. @throws Fault JIG_LINK_LOST */
  write(pin: number, level: 0 | 1, act: () => void): Promise<void>;
  /** Whether the board answers a PIN_STATE query at all. */
  answers(): Promise<boolean>;
  startHeartbeat(): void;
  /** Ends the heartbeat and fails what waits. */
  stop(fault: Fault): void;
}

interface Watched {
  readonly pin: number;
  readonly mode: number;
  /** Null for an input: its state is the pull-up, which its mode gives already. */
  level: 0 | 1 | null;
  /** The level that is being written. */
  wanted: 0 | 1 | null;
  wrong: number;
  /** Ends with the last write that was asked for. */
  queue: Promise<void>;
  onLevel: (() => void) | null;
}

/** All pins of one connection; everything below works on one of these. */
interface Standing {
  readonly options: PinsOptions;
  readonly watched: Map<number, Watched>;
  /** Fails what waits when the connection ends. */
  readonly endings: Set<(fault: Fault) => void>;
  beats: NodeJS.Timeout | undefined;
  stopped: Fault | null;
  missed: number;
  turn: number;
}

const OUTPUT = 1;
const WRITE_TRIES = 3;
const MISSES_MIN = 3;
const WRONG_MAX = 2;
/** Any pin that every Uno has. */
const PROBE_PIN = 2;

export function createPins(options: PinsOptions): Pins {
  const { deadlines, send } = options;
  const pins: Standing = {
    options,
    watched: new Map(),
    endings: new Set(),
    beats: undefined,
    stopped: null,
    missed: 0,
    turn: 0,
  };
  return {
    arm: (pin, level) =>
      confirm(pins, watch(pins, pin, OUTPUT), level, deadlines.armMs, () =>
        send(Uint8Array.of(0xf7, 0xf4, pin, OUTPUT, 0xf5, pin, level)),
      ),
    watchInput: (pin, mode) => {
      watch(pins, pin, mode);
    },
    write: (pin, level, act) => {
      const entry = pins.watched.get(pin);
      if (entry === undefined) throw new RangeError(`pin ${pin} is not armed`);
      const written = entry.queue.then(() => confirm(pins, entry, level, deadlines.writeMs, act));
      entry.queue = written.catch(() => undefined); // The caller has the failure; the next write finds it anew.
      return written;
    },
    answers: () =>
      new Promise((resolve) => {
        const late = setTimeout(() => resolve(false), deadlines.armMs);
        options.io.once(`pin-state-${PROBE_PIN}`, () => {
          clearTimeout(late);
          resolve(true);
        });
        query(pins, PROBE_PIN);
      }),
    startHeartbeat: () => {
      pins.beats = setInterval(() => beat(pins), deadlines.heartbeatMs);
    },
    stop: (fault) => {
      pins.stopped = fault;
      clearInterval(pins.beats);
      for (const fail of [...pins.endings]) fail(fault);
    },
  };
}

function watch(pins: Standing, pin: number, mode: number): Watched {
  const blank = { level: null, wanted: null, wrong: 0, queue: Promise.resolve(), onLevel: null };
  const entry: Watched = { pin, mode, ...blank };
  pins.watched.set(pin, entry);
  pins.options.io.on(`pin-state-${pin}`, () => {
    pins.missed = 0;
    if (pins.stopped === null) judge(pins, entry);
  });
  return entry;
}

/** @throws Fault JIG_LINK_LOST when no try shows the level; the connection is over then */
async function confirm(
  pins: Standing,
  entry: Watched,
  level: 0 | 1,
  tryMs: number,
  act: () => void,
): Promise<void> {
  entry.wanted = level;
  for (let attempt = 0; attempt < WRITE_TRIES; attempt++) {
    if (pins.stopped !== null) throw pins.stopped;
    const shown = shows(pins, entry, tryMs);
    act();
    query(pins, entry.pin);
    if (await shown) return;
  }
  throw broken(pins, { waitsFor: 'pin level', pin: entry.pin });
}

function shows(pins: Standing, entry: Watched, withinMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const end = (fault: Fault | null, shown: boolean): void => {
      clearTimeout(late);
      pins.endings.delete(fail);
      entry.onLevel = null;
      if (fault === null) resolve(shown);
      else reject(fault);
    };
    const fail = (fault: Fault): void => end(fault, false);
    const late = setTimeout(() => end(null, false), withinMs);
    pins.endings.add(fail);
    entry.onLevel = () => end(null, true);
  });
}

/** Beats are counted, not time: a process that was itself kept waiting finds the answers when it runs again. */
function beat(pins: Standing): void {
  const { silenceMs, heartbeatMs } = pins.options.deadlines;
  const entries = [...pins.watched.values()];
  const next = entries[pins.turn++ % Math.max(1, entries.length)];
  if (pins.missed++ >= Math.max(MISSES_MIN, Math.ceil(silenceMs / heartbeatMs)))
    broken(pins, { waitsFor: 'heartbeat' });
  else if (next !== undefined) query(pins, next.pin);
}

/** Compares what the board says of a pin with what it was told; a second wrong answer in a row is a fault. */
function judge(pins: Standing, entry: Watched): void {
  const { mode, state } = pins.options.io.pins[entry.pin] ?? {};
  if (mode === entry.mode && entry.wanted !== null && state === entry.wanted) {
    entry.level = entry.wanted;
    entry.wanted = null;
    entry.wrong = 0;
    entry.onLevel?.();
    return;
  }
  const asTold = mode === entry.mode && (entry.level === null || state === entry.level);
  if (asTold) entry.wrong = 0;
  else if (entry.wanted !== null)
    return; // The tries of the write are the judge here.
  else if (++entry.wrong >= WRONG_MAX) broken(pins, { waitsFor: 'pin state', pin: entry.pin });
  else query(pins, entry.pin);
}

function query({ options }: Standing, pin: number): void {
  options.send(Uint8Array.of(0xf7, 0xf0, 0x6d, pin, 0xf7));
}

function broken({ options }: Standing, context: Record<string, string | number>): Fault {
  const fault = new Fault('JIG_LINK_LOST', context);
  options.onFault(fault);
  return fault;
}
