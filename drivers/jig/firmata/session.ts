/**
 * Keeps a connection to the board: opens one, and after a fault another. While there is none, every command is
 * refused at once and nothing is kept for later, save the lamps: they are shown again, motions never.
 */
import { asFault, Fault } from '../../../runtime/core/faults.ts';
import type { ControllerReport, Release } from '../../../runtime/core/gate/release.ts';
import type { Lamp } from '../../../runtime/core/ports.ts';
import type { MemoryStore } from '../controller/machine.ts';
import { type Connection, lampPins, openConnection } from './connection.ts';
import { createQueryNumbers } from './gate-client.ts';
import { loadVendors, sleep } from './handshake.ts';
import type { OpenPort } from './link.ts';
import type { NestPins, PlainOptions, SessionOptions } from './options.ts';
import { openPlainMemory } from './plain-memory.ts';

export type SessionEvent =
  | { readonly kind: 'report'; readonly report: ControllerReport }
  | { readonly kind: 'lost'; readonly fault: Fault }
  | { readonly kind: 'ready' };

export interface Session {
  report(nest: string): Promise<ControllerReport>;
  clamp(nest: string, position: 'closed' | 'open'): Promise<void>;
  open(release: Release): Promise<ControllerReport>;
  lamp(nest: string, lamp: Lamp): Promise<void>;
  close(): Promise<void>;
}

export interface SessionParts {
  readonly options: SessionOptions;
  readonly openPort: OpenPort;
  /** Where the numbers of queries start: other than the process before. */
  readonly firstQuery: number;
  readonly onEvent: (event: SessionEvent) => void;
}

export function startSession(parts: SessionParts): Session {
  const { options, onEvent } = parts;
  const lamps = new Map<string, Lamp>();
  const nextQuery = createQueryNumbers(parts.firstQuery);
  let connection: Connection | null = null;
  let fault = new Fault('JIG_LINK_LOST', { reason: 'not connected yet' });
  let closing = false;

  const lose = (next: Fault): void => {
    fault = next;
    connection = null;
    onEvent({ kind: 'lost', fault });
  };
  const connect = async (): Promise<void> => {
    const vendors = await loadVendors();
    const memory = options.plain === null ? null : await memoryOf(options.plain);
    while (!closing) {
      try {
        let told: (fault: Fault) => void = () => undefined;
        const downs = new Promise<Fault>((resolve) => {
          told = resolve;
        });
        const fresh = await openConnection({
          session: options,
          vendors,
          openPort: parts.openPort,
          memory,
          nextQuery,
          onReport: (report) => onEvent({ kind: 'report', report }),
          onDown: (cause) => told(cause),
        });
        connection = fresh;
        for (const [nest, lamp] of lamps) await show(fresh, nestOf(options, nest), lamp);
        onEvent({ kind: 'ready' });
        lose(await downs);
      } catch (error) {
        lose(asFault(error, 'JIG_LINK_LOST'));
      }
      await sleep(options.deadlines.reconnectMs);
    }
  };
  const running = connect();
  running.catch((error: unknown) => lose(asFault(error, 'UNEXPECTED')));

  const linked = (): Connection => {
    if (connection === null) throw new Fault(fault.code, fault.context, { cause: fault });
    return connection;
  };
  return {
    report: async (nest) => {
      nestOf(options, nest);
      return linked().gate.report();
    },
    clamp: async (nest, position) => clamp(linked(), options, nest, position),
    open: async (release) => linked().gate.open(release),
    lamp: async (nest, lamp) => {
      const pins = nestOf(options, nest);
      lamps.set(nest, lamp);
      await show(linked(), pins, lamp);
    },
    close: async () => {
      closing = true;
      await connection?.close();
    },
  };
}

/** @throws Fault FILE_UNREADABLE when the file cannot be used: a gate must not forget what it obeyed */
async function memoryOf({ memoryFile }: PlainOptions): Promise<MemoryStore> {
  try {
    const memory = openPlainMemory(memoryFile, Date.now());
    await memory.save(memory.load());
    return memory;
  } catch (error) {
    throw asFault(error, 'FILE_UNREADABLE', { file: memoryFile });
  }
}

/** The clamp's own switches decide: the one of the position is active, the other is not. */
async function clamp(
  { set, inputs }: Connection,
  { nests, deadlines }: SessionOptions,
  nest: string,
  position: 'closed' | 'open',
): Promise<void> {
  const { valve, openLevel, closed, open } = nestOf({ nests }, nest).clamp;
  const opens = position === 'open';
  await set(valve.pin, opens ? openLevel : openLevel === 1 ? 0 : 1);
  const inPosition = (): boolean => inputs.active(open.pin) === opens && inputs.active(closed.pin) === !opens;
  if (await inputs.until(inPosition, deadlines.clampMs)) return;
  if (!inputs.known()) throw new Fault('JIG_LINK_LOST', { waitsFor: 'clamp', nest });
  throw new Fault('CLAMP_TIMEOUT', { nest, position, withinMs: deadlines.clampMs });
}

/** Dark first, so that two lamps never show two states. */
async function show({ set }: Connection, nest: NestPins, lamp: Lamp): Promise<void> {
  const lit = new Set(nest.lamps[lamp]);
  await Promise.all(lampPins(nest).map((pin) => (lit.has(pin) ? undefined : set(pin, 0))));
  await Promise.all([...lit].map((pin) => set(pin, 1)));
}

/** @throws Fault CONFIG_INVALID when the configuration names no such nest */
function nestOf({ nests }: Pick<SessionOptions, 'nests'>, nest: string): NestPins {
  const pins = Object.hasOwn(nests, nest) ? nests[nest] : undefined;
  if (pins === undefined) throw new Fault('CONFIG_INVALID', { nest });
  return pins;
}
