/**
 * One connection to the board, from the opening of its port to its end. Every connection has its own port,
 * firmata-io, johnny-five board and components; nothing of it is used again after a fault.
 */
import { asFault, Fault } from '../../../runtime/core/faults.ts';
import type { ControllerReport } from '../../../runtime/core/gate/release.ts';
import type { MemoryStore } from '../controller/machine.ts';
import { EXTENSION_VERSION } from '../extension.ts';
import { createGateClient, type Gate, type GateClient } from './gate-client.ts';
import {
  EXTENSION_EVENT,
  type FirmataIo,
  handshake,
  type JohnnyBoard,
  sleep,
  type Vendors,
} from './handshake.ts';
import { createInputs, type Inputs } from './inputs.ts';
import { Link, type OpenPort, type Port } from './link.ts';
import type { InputPin, NestPins, OutputPin, SessionOptions } from './options.ts';
import { createPins, type Pins } from './pins.ts';
import { createPlainGate, gateContacts, type PlainGate } from './plain-gate.ts';

export interface Connection {
  readonly gate: Gate;
  readonly inputs: Inputs;
  /** Resolves when the board shows the level. @throws Fault JIG_LINK_LOST */
  set(pin: number, level: 0 | 1): Promise<void>;
  /** Outputs to their safe levels, acknowledged, then the port is closed. */
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly session: SessionOptions;
  readonly vendors: Vendors;
  readonly openPort: OpenPort;
  /** Of the gate that this driver plays on a board with plain Firmata; null where a gate controller is wanted. */
  readonly memory: MemoryStore | null;
  readonly nextQuery: () => number;
  readonly onReport: (report: ControllerReport) => void;
  /** Called once, after everything that waited has failed and the port is closed. */
  readonly onDown: (fault: Fault) => void;
}

/** Time for the last, unacknowledged levels to reach the board before the port closes. */
const LAST_WORDS_MS = 20;
const PORT_OPEN_MS = 3_000;

/** @throws Fault JIG_LINK_LOST, JIG_REFUSED; the port is closed then */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { session, vendors } = options;
  const port = await openInTime(options.openPort, session.serialPath);
  let end: (fault: Fault) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => {
    end = reject;
  });
  ended.catch(() => undefined); // Only the opening below waits for it; later `down` tells.
  const link = new Link(port, (error) => {
    void down(asFault(error, 'JIG_LINK_LOST', { path: session.serialPath }));
  });
  let parts: Parts | null = null;
  let over = false;
  let opened = false;

  const down = async (fault: Fault): Promise<void> => {
    if (over) return;
    over = true;
    end(fault);
    parts?.stop(fault);
    if (parts?.relays.size) {
      for (const output of outputsOf(session)) link.write(levelFrame(output.pin, output.safe));
      await sleep(LAST_WORDS_MS);
    }
    await dropOrDie(link);
    if (opened) options.onDown(fault);
  };

  try {
    const { io, board } = await Promise.race([handshake(vendors, link, session.deadlines), ended]);
    parts = assemble(options, { io, board, link, down });
    await Promise.race([admit(session, parts), ended]);
    io.on('reportversion', () => down(new Fault('JIG_LINK_LOST', { reason: 'reset' })));
    io.on('queryfirmware', () => down(new Fault('JIG_LINK_LOST', { reason: 'reset' })));
    await Promise.race([arm(session, parts), ended]);
    parts.pins.startHeartbeat();
    await Promise.race([parts.plain?.start(), ended]);
    opened = true;
    return connectionOf(session, parts, link, () => {
      over = true;
    });
  } catch (error) {
    const fault = asFault(error, 'JIG_LINK_LOST', { path: session.serialPath });
    await down(fault);
    throw fault;
  }
}

interface Parts {
  readonly controller: GateClient;
  readonly plain: PlainGate | null;
  readonly inputs: Inputs;
  readonly pins: Pins;
  /** One johnny-five relay per output; none before the board is admitted. */
  readonly relays: Map<number, { open(): unknown; close(): unknown }>;
  addRelay(pin: number): void;
  set(pin: number, level: 0 | 1): Promise<void>;
  stop(fault: Fault): void;
}

interface Wires {
  readonly io: FirmataIo;
  readonly board: JohnnyBoard;
  readonly link: Link;
  readonly down: (fault: Fault) => Promise<void>;
}

function assemble(options: ConnectionOptions, { io, board, link, down }: Wires): Parts {
  const { session, vendors } = options;
  const { deadlines } = session;
  const send = (bytes: Uint8Array): void => link.write(bytes);
  // johnny-five's components write whole ports from their own memory, which is empty after a reconnect and
  // mixes inputs in. One pin at a time leaves the other pins alone.
  io.digitalWrite = (pin, value) => send(levelFrame(pin, value === 0 ? 0 : 1));
  const pins = createPins({ io, deadlines, send, onFault: (fault) => void down(fault) });
  const inputs = createInputs(io, board, deadlines.debounceMs);
  const { nextQuery, onReport } = options;
  const controller = createGateClient({ deadlines, send, nextQuery, onReport });
  io.on(EXTENSION_EVENT, (content: readonly number[]) => controller.hear(Uint8Array.from(content)));
  const relays: Parts['relays'] = new Map();
  const set = async (pin: number, level: 0 | 1): Promise<void> => {
    const relay = relays.get(pin);
    if (relay === undefined) throw new RangeError(`no output at pin ${pin}`);
    await pins.write(pin, level, () => (level === 1 ? relay.close() : relay.open()));
  };
  const plain = plainGateOf(options, inputs, set);
  return {
    controller,
    plain,
    inputs,
    pins,
    relays,
    set,
    addRelay: (pin) => {
      relays.set(pin, new vendors.five.Relay({ pin, board, type: 'NO' }));
    },
    stop: (fault) => {
      inputs.forget();
      pins.stop(fault);
      controller.stop(fault);
      plain?.stop(fault);
    },
  };
}

function plainGateOf(options: ConnectionOptions, inputs: Inputs, set: Parts['set']): PlainGate | null {
  const { session, memory, nextQuery, onReport } = options;
  const { controller, deadlines } = session;
  const [nest, pins] = Object.entries(session.nests)[0] ?? [];
  if (memory === null || nest === undefined || !pins?.gate) return null;
  const { clamp, gate } = pins;
  const where = { controller, nest, clamp, pins: gate };
  return createPlainGate({ ...where, deadlines, memory, inputs, set, nextQuery, onReport });
}

/** Only a board with our gate controller, of the right name, gets a station; where plain Firmata is allowed, only
 * a board without one, so that what the station says of its gate is true. */
async function admit(session: SessionOptions, { controller: client, plain, pins }: Parts): Promise<void> {
  const identity = await client.who();
  if (identity === null) {
    if (!(await pins.answers())) throw new Fault('JIG_LINK_LOST', { waitsFor: 'identity' });
    if (plain !== null) return;
    throw new Fault('JIG_REFUSED', { reason: 'no gate controller in this firmware' });
  }
  if (plain !== null)
    throw new Fault('JIG_REFUSED', { reason: 'a gate controller, where plain Firmata is configured' });
  const { controller, nest, version } = identity;
  if (version !== EXTENSION_VERSION) throw new Fault('JIG_REFUSED', { reason: 'extension version', version });
  if (controller !== session.controller)
    throw new Fault('JIG_REFUSED', { reason: 'controller name', controller });
  if (!Object.hasOwn(session.nests, nest)) throw new Fault('JIG_REFUSED', { reason: 'nest name', nest });
}

async function arm(session: SessionOptions, { pins, inputs, addRelay }: Parts): Promise<void> {
  for (const { pin, safe } of outputsOf(session)) {
    addRelay(pin);
    await pins.arm(pin, safe);
  }
  for (const input of inputsOf(session)) pins.watchInput(input.pin, inputs.add(input));
  inputs.report();
  if (!(await inputs.until(inputs.known, session.deadlines.armMs)))
    throw new Fault('JIG_LINK_LOST', { waitsFor: 'inputs' });
}

function connectionOf(session: SessionOptions, parts: Parts, link: Link, finish: () => void): Connection {
  const { controller, plain, inputs, set } = parts;
  return {
    gate: plain ?? controller,
    inputs,
    set,
    close: async () => {
      plain?.stop(new Fault('JIG_LINK_LOST', { reason: 'closed' }));
      const outputs = outputsOf(session).map(({ pin, safe }) => set(pin, safe));
      // A board that is gone takes no levels; its outputs are its own firmware's care by then.
      await Promise.allSettled(outputs);
      finish();
      parts.stop(new Fault('JIG_LINK_LOST', { reason: 'closed' }));
      await dropOrDie(link);
    },
  };
}

/** Every output of all nests once, with its safe level; lamps are dark when safe. */
export function outputsOf({ nests, plain }: Pick<SessionOptions, 'nests' | 'plain'>): readonly OutputPin[] {
  const safeOf = new Map<number, 0 | 1>();
  for (const nest of Object.values(nests)) {
    for (const pin of lampPins(nest)) safeOf.set(pin, 0);
    for (const { pin, safe } of [nest.clamp.valve, ...gateValves(nest, plain)]) safeOf.set(pin, safe);
  }
  return [...safeOf].map(([pin, safe]) => ({ pin, safe }));
}

function gateValves({ gate }: NestPins, plain: SessionOptions['plain']): readonly OutputPin[] {
  return plain === null || gate === null ? [] : [gate.good.valve, gate.reject.valve];
}

function inputsOf({ nests, plain }: SessionOptions): readonly InputPin[] {
  return Object.values(nests).flatMap(({ clamp, gate }) => [
    clamp.closed,
    clamp.open,
    ...(plain === null || gate === null ? [] : gateContacts(gate)),
  ]);
}

export function lampPins(nest: NestPins): readonly number[] {
  return [...new Set(Object.values(nest.lamps).flat())];
}

function levelFrame(pin: number, level: 0 | 1): Uint8Array {
  return Uint8Array.of(0xf7, 0xf5, pin, level);
}

/** A port that does not close belongs to a process that should end: its parent starts another. */
async function dropOrDie(link: Link): Promise<void> {
  if (!(await link.drop())) process.exit(1);
}

/** A port that opens too late is closed: it holds the lock that the next attempt needs. @throws Fault JIG_LINK_LOST */
async function openInTime(openPort: OpenPort, path: string): Promise<Port> {
  const opening = openPort(path);
  try {
    return await withDeadline(opening, PORT_OPEN_MS);
  } catch (error) {
    opening.then(
      (late) => dropOrDie(new Link(late, () => undefined)),
      () => undefined, // It did not open at all, which is what is thrown here.
    );
    throw error;
  }
}

/** @throws Fault JIG_LINK_LOST */
async function withDeadline<Value>(promise: Promise<Value>, withinMs: number): Promise<Value> {
  let late: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Fault('JIG_LINK_LOST', { waitsFor: 'port', withinMs })), withinMs);
  });
  return Promise.race([promise, overdue]).finally(() => clearTimeout(late));
}
