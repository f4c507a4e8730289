/**
 * A gate controller with power: it obeys what the pure machine decides, over the simulated line and a memory.
 * The simulated board stands on it, and so does the simulated jig; both may come and go while it runs.
 */
import type { ControllerReport, Lane, Reason, Release } from '../../../runtime/core/gate/release.ts';
import type { Clock } from '../../../runtime/core/ports.ts';
import type { ControllerEvent, ControllerSelf, Sensed, Sensor } from './gate-controller.ts';
import { createLine, type Line, type MotionTimes } from './line.ts';
import { createMachine, type MemoryStore, type Perform } from './machine.ts';

export interface FixtureOptions {
  readonly clock: Clock;
  readonly self: ControllerSelf;
  readonly memory: MemoryStore;
  readonly motion: MotionTimes;
  readonly seat: (index: number) => Promise<void>;
  /** The gate closes by itself when the unit has not left by then. */
  readonly openTimeoutMs: number;
  /** The gate closes when nothing was heard of the host for so long. */
  readonly hostTimeoutMs: number;
  /** Sees everything from the first boot on. */
  readonly witness?: (line: GateLogLine) => void;
}

/** What an independent observer of the gate writes down. */
export interface GateLogLine {
  readonly at: number;
  readonly event: 'ARRIVED' | 'OPENED' | 'LEFT' | 'CLOSED' | 'REFUSED' | 'SEAT-FAILED';
  /** Index of the unit in the nest. */
  readonly unit: number | null;
  readonly arrival: number;
  readonly lane: Lane | null;
  /** Of the release that is meant; 0 for none. */
  readonly counter: number;
  readonly reason: Reason;
  /** Milliseconds of simulated motion since the unit before left. */
  readonly motionMs: number;
}

/** `query`: the number of the question this report answers, 0 when nobody asked. */
export type ReportHandler = (report: ControllerReport, query: number) => void;

export interface Fixture {
  readonly self: ControllerSelf;
  readonly line: Line;
  open(release: Release, query: number): void;
  status(query: number): void;
  /** A byte came from the host. */
  hostHeard(): void;
  /** A host is heard all the time until it detaches by the returned function. */
  attachHost(): () => void;
  /** Loses power and gets it back: the gate shuts, the unit gets a new name. */
  reset(): void;
  sensed(): Sensed;
  /** Each returns the function that ends the subscription. */
  onReport(handler: ReportHandler): () => void;
  onSensor(handler: (sensor: Sensor, active: boolean) => void): () => void;
  onWitness(handler: (line: GateLogLine) => void): () => void;
}

export function createFixture(options: FixtureOptions): Fixture {
  const { clock, self } = options;
  const reports = new Set<ReportHandler>();
  const sensorHandlers = new Set<(sensor: Sensor, active: boolean) => void>();
  const witnesses = new Set(options.witness === undefined ? [] : [options.witness]);
  let unwatch = (): void => undefined;
  let present: { readonly arrival: number; readonly unit: number | null } = { arrival: 0, unit: null };

  const line = createLine({
    clock,
    motion: options.motion,
    seat: options.seat,
    sense: (sensor, active) => {
      machine.handle({ kind: 'sensed', sensor, active });
      for (const handler of sensorHandlers) handler(sensor, active);
    },
    onSeatFailed: (index) => witness({ event: 'SEAT-FAILED', unit: index }),
  });
  const witness = (about: Pick<GateLogLine, 'event'> & Partial<GateLogLine>): void => {
    const blank = { arrival: machine.arrival(), lane: null, counter: 0, reason: 'none' } as const;
    const named = { at: clock.now(), ...blank, motionMs: line.motionMs(), ...about };
    if (about.event === 'ARRIVED') present = { arrival: named.arrival, unit: line.unit() };
    // A departure is written down once it is durable, when the unit may be out of sight already.
    const unit = present.arrival === named.arrival ? present.unit : line.unit();
    const whole: GateLogLine = { unit, ...named };
    for (const handler of witnesses) handler(whole);
    if (about.event === 'LEFT') line.nextUnit();
  };
  const perform: Perform = (action, event, query) => {
    if (action.kind === 'unwatch') unwatch();
    else if (action.kind === 'watch') {
      unwatch();
      unwatch = clock.after(options.openTimeoutMs, () => machine.handle({ kind: 'timed-out' }));
    } else if (action.kind === 'drive') {
      const { lane } = action;
      if (lane !== null && event.kind === 'open-asked')
        witness({ event: 'OPENED', lane, counter: event.release.counter });
      line.gateValve(lane);
    } else {
      const seen = seenIn(action.report, event);
      if (seen !== null) witness(seen);
      for (const handler of reports) handler(action.report, query);
    }
  };
  const machine = createMachine(self, options.memory, perform);
  const host = createHostWatch(clock, options.hostTimeoutMs, () => machine.handle({ kind: 'host-lost' }));
  const reset = (): void => machine.handle({ kind: 'started', sensed: line.sensed() });
  reset();
  return {
    self,
    line,
    open: (release, query) => machine.handle({ kind: 'open-asked', release }, query),
    status: (query) => machine.handle({ kind: 'status-asked' }, query),
    hostHeard: host.heard,
    attachHost: host.attach,
    reset,
    sensed: line.sensed,
    onReport: (handler) => subscribe(reports, handler),
    onSensor: (handler) => subscribe(sensorHandlers, handler),
    onWitness: (handler) => subscribe(witnesses, handler),
  };
}

/** What a report adds to the gate log; null for a mere answer. */
function seenIn(
  report: ControllerReport,
  event: ControllerEvent,
): (Pick<GateLogLine, 'event'> & Partial<GateLogLine>) | null {
  const { reason, arrival } = report;
  if (report.kind === 'arrived') return { event: 'ARRIVED', arrival };
  if (report.kind === 'left') return { event: 'LEFT', ...report.left };
  if (report.kind === 'closed') return { event: 'CLOSED', reason, arrival, counter: report.obeyed };
  if (report.kind !== 'refused' || event.kind !== 'open-asked') return null;
  const { lane, counter } = event.release;
  return { event: 'REFUSED', reason, arrival, lane, counter };
}

interface HostWatch {
  readonly heard: () => void;
  readonly attach: () => () => void;
}

/** One timer, moved on when it fires: a byte from the host costs no more than a note of the time. */
function createHostWatch(clock: Clock, timeoutMs: number, lost: () => void): HostWatch {
  const attached = new Set<symbol>();
  let heardMs = 0;
  let armed = false;
  const look = (): void => {
    armed = attached.size === 0;
    if (!armed) return;
    const restMs = heardMs + timeoutMs - clock.monotonicMs();
    if (restMs > 0) {
      clock.after(restMs, look);
      return;
    }
    armed = false;
    lost();
  };
  const heard = (): void => {
    heardMs = clock.monotonicMs();
    if (armed) return;
    armed = true;
    clock.after(timeoutMs, look);
  };
  return {
    heard,
    attach: () => {
      const host = Symbol('host');
      attached.add(host);
      return () => {
        if (attached.delete(host)) heard();
      };
    },
  };
}

function subscribe<Handler>(handlers: Set<Handler>, handler: Handler): () => void {
  handlers.add(handler);
  return () => handlers.delete(handler);
}
