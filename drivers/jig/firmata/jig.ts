/**
 * The jig port over an I/O board with Firmata and our gate controller. johnny-five, firmata-io and serialport
 * live in a child process, because none of them survives every fault of a cable; this side starts it again
 * when it dies, and bounds every call.
 *
 * A board with plain Firmata is refused, because station code cannot make a gate safe that merely obeys on and
 * off. Where it is allowed all the same, for a bench, `plain-gate.ts` says what is left of the rules.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { Fault } from '../../../runtime/core/faults.ts';
import type { ControllerReport } from '../../../runtime/core/gate/release.ts';
import type { Jig, JigEvent } from '../../../runtime/core/ports.ts';
import { faultOf, type JigCall, type ToChild, type ToParent } from './messages.ts';
import { type FirmataJigOptions, type SessionOptions, sessionOptionsOf } from './options.ts';

/** Beyond the child's own deadlines: what passes this finds a child that hangs. */
const MARGIN_MS = 1_000;
const CLOSE_MS = 2_500;
const RESPAWN_MS = { first: 100, most: 5_000 } as const;
/** Calls under way at once; a station needs one or two. */
const CALLS_MAX = 64;

interface Waiting {
  readonly resolve: (report: ControllerReport | null) => void;
  readonly reject: (fault: Fault) => void;
}

/** @throws Fault CONFIG_INVALID, JIG_REFUSED, JIG_LINK_LOST when the board is not ready in time, unless `waitForBoard` is false */
export async function openFirmataJig(options: FirmataJigOptions): Promise<Jig & AsyncDisposable> {
  const session = sessionOptionsOf(options);
  const { deadlines, nests } = session;
  const handlers: ((event: JigEvent) => void)[] = [];
  const owner = superviseChild(session, (event) => {
    for (const handler of handlers) handler(event);
  });
  const call = async (about: JigCall, withinMs: number): Promise<ControllerReport> => {
    const report = await owner.call(about, withinMs + MARGIN_MS);
    if (report === null) throw new Fault('UNEXPECTED', { verb: about.verb });
    return report;
  };
  const command = async (about: JigCall, withinMs: number): Promise<void> => {
    await owner.call(about, withinMs + MARGIN_MS);
  };
  const writesMs = 3 * deadlines.writeMs * (1 + 2 * Object.keys(nests).length);
  const jig: Jig & AsyncDisposable = {
    report: (nest) => call({ verb: 'report', nest }, deadlines.reportMs),
    clamp: (nest, position) =>
      command({ verb: 'clamp', nest, position }, deadlines.clampMs + 3 * deadlines.writeMs),
    open: (release) => call({ verb: 'open', release }, deadlines.leaveMs),
    lamp: (nest, lamp) => command({ verb: 'lamp', nest, lamp }, writesMs),
    onEvent: (handler) => {
      handlers.push(handler);
    },
    close: owner.close,
    [Symbol.asyncDispose]: owner.close,
  };
  if (options.waitForBoard !== false) {
    try {
      await owner.ready(deadlines.openJigMs);
    } catch (error) {
      await owner.close();
      throw error;
    }
  }
  return jig;
}

interface Owner {
  call(about: JigCall, withinMs: number): Promise<ControllerReport | null>;
  /** @throws Fault JIG_REFUSED at once, JIG_LINK_LOST in the end */
  ready(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

interface Supervised {
  readonly options: SessionOptions;
  readonly onEvent: (event: JigEvent) => void;
  readonly waiting: Map<number, Waiting>;
  readonly states: Set<(state: Fault | null) => void>;
  child: ChildProcess | null;
  /** Null while the board is ready. */
  fault: Fault | null;
  /** Whether `lost` has been told since the board was last ready. */
  told: boolean;
  closing: boolean;
  pauseMs: number;
  lastId: number;
}

function superviseChild(options: SessionOptions, onEvent: (event: JigEvent) => void): Owner {
  const owner: Supervised = {
    options,
    onEvent,
    waiting: new Map(),
    states: new Set(),
    child: null,
    fault: new Fault('JIG_LINK_LOST', { reason: 'not connected yet' }),
    told: false,
    closing: false,
    pauseMs: RESPAWN_MS.first,
    lastId: 0,
  };
  spawn(owner);
  return {
    call: (about, withinMs) => callChild(owner, about, withinMs),
    ready: (withinMs) =>
      new Promise((resolve, reject) => {
        const end = (state: Fault | null): void => {
          if (state !== null && state.code !== 'JIG_REFUSED') return;
          settle(state);
        };
        const settle = (state: Fault | null): void => {
          clearTimeout(late);
          owner.states.delete(end);
          if (state === null) resolve();
          else reject(state);
        };
        const late = setTimeout(() => settle(owner.fault), withinMs);
        owner.states.add(end);
      }),
    close: () => closeChild(owner),
  };
}

function spawn(owner: Supervised): void {
  // With IS_TEST_MODE johnny-five would put a stub in the place of the board.
  const { IS_TEST_MODE: _, ...env } = process.env;
  const child = fork(new URL('./child.js', import.meta.url), [], { serialization: 'advanced', env });
  owner.child = child;
  child.on('message', (message: ToParent) => hear(owner, message));
  // A child that cannot be started says so here and may never say `exit`.
  child.on('error', () => bury(owner, child));
  child.on('exit', () => bury(owner, child));
  tell(child, { kind: 'start', options: owner.options });
}

/** Fails what waits, and starts another child after a pause that grows while they die young. */
function bury(owner: Supervised, child: ChildProcess): void {
  if (owner.child !== child) return;
  owner.child = null;
  if (owner.closing) return;
  const fault = new Fault('JIG_LINK_LOST', { reason: 'the process of the I/O board ended' });
  lose(owner, fault);
  for (const waiting of owner.waiting.values()) waiting.reject(fault);
  setTimeout(() => {
    if (!owner.closing) spawn(owner);
  }, owner.pauseMs);
  owner.pauseMs = Math.min(2 * owner.pauseMs, RESPAWN_MS.most);
}

function hear(owner: Supervised, message: ToParent): void {
  switch (message.kind) {
    case 'done':
      owner.waiting.get(message.id)?.resolve(message.report);
      return;
    case 'failed':
      owner.waiting.get(message.id)?.reject(faultOf(message.fault));
      return;
    case 'report':
      // Before the board is ready nothing can be done about it; whoever is told `ready` asks.
      if (owner.fault === null) owner.onEvent(message);
      return;
    case 'lost':
      lose(owner, faultOf(message.fault));
      return;
    case 'ready':
      owner.fault = null;
      owner.told = false;
      owner.pauseMs = RESPAWN_MS.first;
      for (const state of [...owner.states]) state(null);
      owner.onEvent({ kind: 'ready' });
      return;
    case 'closed':
      return;
  }
}

/** Tells of the loss once, however many attempts fail after it. */
function lose(owner: Supervised, fault: Fault): void {
  owner.fault = fault;
  for (const state of [...owner.states]) state(fault);
  if (owner.told || owner.closing) return;
  owner.told = true;
  owner.onEvent({ kind: 'lost', fault });
}

function callChild(owner: Supervised, call: JigCall, withinMs: number): Promise<ControllerReport | null> {
  const { child, fault, waiting } = owner;
  if (child === null || fault !== null) return Promise.reject(fault ?? new Fault('JIG_LINK_LOST'));
  if (waiting.size >= CALLS_MAX) return Promise.reject(new Fault('JIG_LINK_LOST', { calls: waiting.size }));
  return new Promise((resolve, reject) => {
    const id = ++owner.lastId;
    const end = (): void => {
      clearTimeout(late);
      waiting.delete(id);
    };
    const late = setTimeout(() => {
      end();
      reject(new Fault('JIG_LINK_LOST', { reason: 'the process of the I/O board hangs', verb: call.verb }));
      child.kill('SIGKILL');
    }, withinMs);
    waiting.set(id, {
      resolve: (report) => {
        end();
        resolve(report);
      },
      reject: (failure) => {
        end();
        reject(failure);
      },
    });
    tell(child, { kind: 'call', id, call });
  });
}

async function closeChild(owner: Supervised): Promise<void> {
  owner.closing = true;
  const { child } = owner;
  for (const waiting of owner.waiting.values())
    waiting.reject(new Fault('JIG_LINK_LOST', { reason: 'closed' }));
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const late = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
  tell(child, { kind: 'close' });
  await ended;
  clearTimeout(late);
}

/** A message to a child that is gone is lost; its `exit` tells those who wait. */
function tell(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => undefined);
}
