/** What a station must know of an I/O board: its wiring, its controller's name, and how long to wait. */
import { Fault } from '../../../runtime/core/faults.ts';

/** An output and the level it has at entry, at exit and at a fault. */
export interface OutputPin {
  readonly pin: number;
  readonly safe: 0 | 1;
}

/** A contact; `activeLevel` 0 uses the board's pull-up. */
export interface InputPin {
  readonly pin: number;
  readonly activeLevel: 0 | 1;
}

/** One gate of a board with plain Firmata. */
export interface LanePins {
  /** Its safe level shuts the gate, the other one opens it. */
  readonly valve: OutputPin;
  /** Active while the gate is shut. */
  readonly closed: InputPin;
  readonly exit: InputPin;
}

/** What a gate controller would have to itself. */
export interface GatePins {
  readonly presence: InputPin;
  readonly good: LanePins;
  readonly reject: LanePins;
}

export interface NestPins {
  readonly clamp: {
    readonly valve: OutputPin;
    /** Level of the valve that opens the clamp. */
    readonly openLevel: 0 | 1;
    readonly closed: InputPin;
    readonly open: InputPin;
  };
  /** Pins of the tower that are lit for each lamp; all go dark at a fault. */
  readonly lamps: Readonly<Record<'idle' | 'busy' | 'held' | 'rejected', readonly number[]>>;
  /** For plain Firmata alone; a board with a gate controller lets nobody have these. */
  readonly gate: GatePins | null;
}

/** Milliseconds. */
export interface JigDeadlines {
  /** The first connection, from the call of `openFirmataJig` on. */
  readonly openJigMs: number;
  /** Version, firmware, capabilities and analog mapping of one connection. */
  readonly handshakeMs: number;
  /** Quiet time after the port opened, while a bootloader listens. 0 where DTR does not reset the board. */
  readonly bootMs: number;
  /** An output's mode and level, shown by PIN_STATE, while arming. */
  readonly armMs: number;
  /** One try of an acknowledged write; there are three. */
  readonly writeMs: number;
  readonly heartbeatMs: number;
  /** The link counts as lost after so much silence, in whole heartbeats and never fewer than three. */
  readonly silenceMs: number;
  readonly reportMs: number;
  readonly clampMs: number;
  /** From OPEN to LEFT; longer than the controller's own time-out. */
  readonly leaveMs: number;
  /** Plain Firmata alone: the gate shuts by itself when the unit has not left by then. Shorter than `leaveMs`. */
  readonly gateOpenMs: number;
  /** Between a fault and the next attempt. */
  readonly reconnectMs: number;
  /** How long a contact must rest before it counts. */
  readonly debounceMs: number;
}

/** Fit for an Uno and pneumatics. */
export const defaultJigDeadlines: JigDeadlines = {
  openJigMs: 15_000,
  handshakeMs: 6_000,
  bootMs: 0,
  armMs: 300,
  writeMs: 60,
  heartbeatMs: 50,
  silenceMs: 150,
  reportMs: 1_000,
  clampMs: 2_000,
  leaveMs: 10_000,
  gateOpenMs: 5_000,
  reconnectMs: 250,
  debounceMs: 3,
};

export interface FirmataJigOptions {
  /** Device of the board: a udev symlink by serial number, never a bare ttyUSB number. */
  readonly serialPath: string;
  /** Name of the gate controller; a board of another name is refused. */
  readonly controller: string;
  readonly nests: Readonly<Record<string, NestPins>>;
  readonly deadlines?: Partial<JigDeadlines>;
  /** Resolve only with the first connection (default). False: at once, with `ready` and `lost` as events. */
  readonly waitForBoard?: boolean;
  /** Makes do with plain Firmata, and with nothing else. Null (default): such a board is refused. */
  readonly plain?: { readonly memoryFile: string | null } | null;
}

/** What crosses into the child process: everything filled in. */
export interface SessionOptions {
  readonly serialPath: string;
  readonly controller: string;
  readonly nests: Readonly<Record<string, NestPins>>;
  readonly deadlines: JigDeadlines;
  readonly plain: PlainOptions | null;
}

/** A board without a gate controller: this driver plays it. */
export interface PlainOptions {
  /** What must survive the driver: boots, the last release obeyed, the last unit that left. */
  readonly memoryFile: string;
}

/** @throws Fault CONFIG_INVALID when plain Firmata is allowed and something that it needs is missing */
export function sessionOptionsOf(options: FirmataJigOptions): SessionOptions {
  const { serialPath, controller, nests } = options;
  const deadlines = { ...defaultJigDeadlines, ...options.deadlines };
  return { serialPath, controller, nests, deadlines, plain: plainOf(options, deadlines) };
}

function plainOf({ plain, nests }: FirmataJigOptions, deadlines: JigDeadlines): PlainOptions | null {
  if (plain === undefined || plain === null) return null;
  const { memoryFile } = plain;
  const pins = Object.values(nests);
  if (memoryFile === null) throw missing('a file for the memory of the gate');
  if (pins.length !== 1) throw missing('exactly one nest');
  if (pins[0]?.gate === null) throw missing('the pins of the gate');
  if (deadlines.gateOpenMs >= deadlines.leaveMs) throw missing('a gate that shuts before `leaveMs`');
  return { memoryFile };
}

function missing(what: string): Fault {
  return new Fault('CONFIG_INVALID', { why: `plain Firmata needs ${what}` });
}
