/**
 * The jig port in this process, over a simulated fixture: same controller, same line, no cable. Every answer
 * and every failure comes by the clock port, so a seeded simulation of a night repeats itself exactly. The
 * fixture outlives the jig, as a machine outlives the program that drives it.
 */
import { Fault } from '../../runtime/core/faults.ts';
import type { ControllerReport, Release } from '../../runtime/core/gate/release.ts';
import type { Clock, Jig, JigEvent, Lamp } from '../../runtime/core/ports.ts';
import type { Fixture } from './controller/fixture.ts';

export interface SimulatedJigOptions {
  readonly clock: Clock;
  /** With a memory that writes at once: nothing here waits for a disk. */
  readonly fixture: Fixture;
  /** How long a question, an output or a release takes to reach the controller, milliseconds. */
  readonly wireMs?: number;
  readonly clampTimeoutMs?: number;
}

export interface SimulatedJig extends Jig, AsyncDisposable {
  /** Cuts the link for so long: what is under way fails, and the controller hears nothing of the host. */
  loseLink(forMs: number): void;
  /** The clamp does not move until told otherwise. */
  refuseClamp(refuses: boolean): void;
  /** The board loses power and gets it back; the link with it. */
  resetBoard(bootMs: number): void;
  lampOf(nest: string): Lamp | null;
}

interface Standing {
  readonly options: SimulatedJigOptions;
  readonly handlers: ((event: JigEvent) => void)[];
  /** What waits for an answer; each is failed when the link goes. */
  readonly waiting: Set<(fault: Fault) => void>;
  readonly lamps: Map<string, Lamp>;
  /** Null while the link is up. */
  fault: Fault | null;
  lastQuery: number;
  /** Losses so far, so that the end of one does not end a later one. */
  losses: number;
  detach: () => void;
}

const WIRE_MS = 2;
const CLAMP_TIMEOUT_MS = 2_000;

export function createSimulatedJig(options: SimulatedJigOptions): SimulatedJig {
  const { fixture } = options;
  const jig: Standing = {
    options,
    handlers: [],
    waiting: new Set(),
    lamps: new Map(),
    fault: null,
    lastQuery: 0,
    losses: 0,
    detach: fixture.attachHost(),
  };
  const silence = fixture.onReport((report) => {
    if (jig.fault === null) tell(jig, { kind: 'report', report });
  });
  const close = async (): Promise<void> => {
    if (jig.fault?.context.reason === 'closed') return;
    silence();
    cut(jig, new Fault('JIG_LINK_LOST', { reason: 'closed' }), true);
  };
  return {
    report: (nest) => report(jig, nest),
    clamp: (nest, position) => clamp(jig, nest, position),
    open: (release) => open(jig, release),
    lamp: async (nest, lamp) => {
      await sent(jig, nest);
      jig.lamps.set(nest, lamp);
    },
    onEvent: (handler) => {
      jig.handlers.push(handler);
    },
    close,
    [Symbol.asyncDispose]: close,
    loseLink: (forMs) => lose(jig, forMs, 'cable'),
    refuseClamp: (refuses) => fixture.line.stick('clamp', refuses),
    resetBoard: (bootMs) => {
      lose(jig, bootMs, 'reset');
      fixture.line.clampValve(false);
      fixture.reset();
    },
    lampOf: (nest) => jig.lamps.get(nest) ?? null,
  };
}

function tell(jig: Standing, event: JigEvent): void {
  for (const handler of jig.handlers) handler(event);
}

function lose(jig: Standing, forMs: number, reason: string): void {
  const loss = ++jig.losses;
  cut(jig, new Fault('JIG_LINK_LOST', { reason }), false);
  jig.options.clock.after(forMs, () => {
    if (loss !== jig.losses || jig.fault?.context.reason === 'closed') return;
    jig.fault = null;
    jig.detach = jig.options.fixture.attachHost();
    // Outputs are armed anew at their safe level; motions are never taken up again.
    jig.options.fixture.line.clampValve(false);
    tell(jig, { kind: 'ready' });
  });
}

/** From here on nothing reaches the controller: after its host time-out it shuts the gate. */
function cut(jig: Standing, fault: Fault, silently: boolean): void {
  const before = jig.fault;
  jig.fault = fault;
  for (const fail of [...jig.waiting]) fail(fault);
  jig.detach();
  if (!silently && before === null) tell(jig, { kind: 'lost', fault });
}

/** Resolves when a message has crossed the wire. @throws Fault CONFIG_INVALID, JIG_LINK_LOST */
async function sent(jig: Standing, nest: string): Promise<void> {
  if (nest !== jig.options.fixture.self.nest) throw new Fault('CONFIG_INVALID', { nest });
  await until(jig, jig.options.wireMs ?? WIRE_MS, new Fault('JIG_LINK_LOST'), () => undefined, true);
}

async function report(jig: Standing, nest: string): Promise<ControllerReport> {
  await sent(jig, nest);
  const { fixture } = jig.options;
  const query = ++jig.lastQuery;
  let answer: ControllerReport | null = null;
  const silence = fixture.onReport((said, answers) => {
    if (answers === query && said.kind === 'status') answer = said;
  });
  fixture.status(query);
  silence();
  if (answer === null) throw new Fault('JIG_LINK_LOST', { waitsFor: 'report' });
  return answer;
}

async function clamp(jig: Standing, nest: string, position: 'closed' | 'open'): Promise<void> {
  await sent(jig, nest);
  const { fixture, clampTimeoutMs = CLAMP_TIMEOUT_MS } = jig.options;
  const opens = position === 'open';
  const late = new Fault('CLAMP_TIMEOUT', { nest, position, withinMs: clampTimeoutMs });
  await until(jig, clampTimeoutMs, late, (done) => {
    const look = (): void => {
      const sensed = fixture.sensed();
      if (sensed['clamp-open'] === opens && sensed['clamp-closed'] === !opens) done();
    };
    const silence = fixture.onSensor(look);
    fixture.line.clampValve(opens);
    look();
    return silence;
  });
}

async function open(jig: Standing, release: Release): Promise<ControllerReport> {
  if (jig.fault !== null) throw jig.fault;
  await sent(jig, jig.options.fixture.self.nest);
  const { fixture } = jig.options;
  const query = ++jig.lastQuery;
  const { nest, arrival, counter } = release;
  const about = { nest, arrival, counter };
  let left: ControllerReport | null = null;
  let verdict: Fault | null = null;
  const never = new Fault('JIG_LINK_LOST', { waitsFor: 'unit to leave' });
  await until(jig, OPEN_MAX_MS, never, (done) => {
    const silence = fixture.onReport((said, answers) => {
      const { kind, reason } = said;
      if (answers === query && kind === 'refused') verdict = new Fault('GATE_REFUSED', { reason, ...about });
      else if (kind === 'left' && said.left.counter === counter) left = said;
      else if (kind === 'closed' && reason === 'reset') verdict = never;
      else if (kind === 'closed' && said.obeyed === counter)
        verdict = new Fault('GATE_CLOSED', { reason, ...about });
      if (left !== null || verdict !== null) done();
    });
    fixture.open(release, query);
    return silence;
  });
  if (verdict !== null) throw verdict;
  if (left === null) throw never;
  return left;
}

/** The controller's own time-out comes first; this is for a controller that says nothing. */
const OPEN_MAX_MS = 600_000;

/**
 * Waits for `start` to call `done`, for the link to go, or for the deadline.
 * @param start subscribes, may call `done` at once, and returns what ends the subscription
 * @param onTime true where the deadline is the wanted end
 */
function until(
  jig: Standing,
  withinMs: number,
  late: Fault,
  start: (done: () => void) => (() => void) | undefined,
  onTime = false,
): Promise<void> {
  if (jig.fault !== null) return Promise.reject(jig.fault);
  return new Promise((resolve, reject) => {
    let silence: (() => void) | undefined;
    let over = false;
    const end = (fault: Fault | null): void => {
      over = true;
      jig.waiting.delete(end);
      cancel();
      silence?.();
      if (fault === null) resolve();
      else reject(fault);
    };
    const cancel = jig.options.clock.after(withinMs, () => end(onTime ? null : late));
    jig.waiting.add(end);
    silence = start(() => end(null));
    if (over) silence?.();
  });
}
