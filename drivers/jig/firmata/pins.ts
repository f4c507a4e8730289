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
  queue: Promise<void>;
  onLevel: (() => void) | null;
}

const OUTPUT = 1;
const WRITE_TRIES = 3;
const MISSES_MIN = 3;
const WRONG_MAX = 2;

export function createPins(options: PinsOptions): Pins {
  const { io, deadlines, send } = options;
  const watched = new Map<number, Watched>();
  let beats: NodeJS.Timeout | undefined;
  let stopped: Fault | null = null;
  // Beats are counted, not time: a process that was itself kept waiting finds the answers when it runs again.
  const missesMax = Math.max(MISSES_MIN, Math.ceil(deadlines.silenceMs / deadlines.heartbeatMs));
  let missed = 0;
  let turn = 0;
  let fail: (fault: Fault) => void = () => undefined;
  const stopping = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Whoever waits races with it; without anybody waiting its rejection says nothing new.
  stopping.catch(() => undefined);

  const query = (pin: number): void => send(Uint8Array.of(0xf7, 0xf0, 0x6d, pin, 0xf7));
  const broken = (context: Record<string, string | number>): Fault => {
    const fault = new Fault('JIG_LINK_LOST', context);
    options.onFault(fault);
    return fault;
  };

  const watch = (pin: number, mode: number, level: 0 | 1 | null): Watched => {
    const entry: Watched = {
      pin,
      mode,
      level,
      wanted: null,
      wrong: 0,
      queue: Promise.resolve(),
      onLevel: null,
    };
    watched.set(pin, entry);
    io.on(`pin-state-${pin}`, () => {
      missed = 0;
      if (stopped === null) judge(entry, io, query, broken);
    });
    return entry;
  };

  const confirm = async (entry: Watched, level: 0 | 1, tryMs: number, act: () => void): Promise<void> => {
    if (stopped !== null) throw stopped;
    entry.wanted = level;
    for (let attempt = 0; attempt < WRITE_TRIES; attempt++) {
      const shown = new Promise<boolean>((resolve) => {
        const late = setTimeout(() => resolve(false), tryMs);
        entry.onLevel = () => {
          clearTimeout(late);
          resolve(true);
        };
      });
      act();
      query(entry.pin);
      if (await Promise.race([shown, stopping])) return;
    }
    throw broken({ waitsFor: 'pin level', pin: entry.pin });
  };

  const beat = (): void => {
    const pins = [...watched.keys()];
    const pin = pins[turn++ % Math.max(1, pins.length)];
    if (missed++ >= missesMax) broken({ waitsFor: 'heartbeat' });
    else if (pin !== undefined) query(pin);
  };

  return {
    arm: (pin, level) => {
      const entry = watch(pin, OUTPUT, null);
      return confirm(entry, level, deadlines.armMs, () =>
        send(Uint8Array.of(0xf7, 0xf4, pin, OUTPUT, 0xf5, pin, level)),
      );
    },
    watchInput: (pin, mode) => {
      watch(pin, mode, null);
    },
    write: (pin, level, act) => {
      const entry = watched.get(pin);
      if (entry === undefined) throw new RangeError(`pin ${pin} is not armed`);
      const written = entry.queue.then(() => confirm(entry, level, deadlines.writeMs, act));
      entry.queue = written.catch(() => undefined); // The caller has the failure; the next write finds it anew.
      return written;
    },
    answers: async () => {
      const answered = new Promise<boolean>((resolve) => {
        setTimeout(() => resolve(false), deadlines.armMs);
        io.once(`pin-state-${PROBE_PIN}`, () => resolve(true));
      });
      query(PROBE_PIN);
      return answered;
    },
    startHeartbeat: () => {
      beats = setInterval(beat, deadlines.heartbeatMs);
    },
    stop: (fault) => {
      stopped = fault;
      clearInterval(beats);
      fail(fault);
    },
  };
}

/** Any pin that every Uno has. */
const PROBE_PIN = 2;

/** Compares what the board says of a pin with what it was told; a second wrong answer in a row is a fault. */
function judge(
  entry: Watched,
  io: FirmataIo,
  query: (pin: number) => void,
  broken: (context: Record<string, string | number>) => void,
): void {
  const { mode, state } = io.pins[entry.pin] ?? {};
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
  else if (++entry.wrong >= WRONG_MAX) broken({ waitsFor: 'pin state', pin: entry.pin });
  else query(entry.pin);
}
