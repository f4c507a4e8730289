/**
 * The gate controller: which unit stands in the nest, and whether a release opens the gate for it.
 *
 * A pure machine: `step` takes an event and gives the next state and what to do, in order. It owns no timer
 * and no port, so the same rules run in the simulated board, in a seeded simulation, in the driver of a plain
 * Firmata board and as the specification of a firmware. Whoever runs it makes `remember` durable before it does
 * what stands behind it.
 *
 * The rules: every arrival has a number that never repeats, and every closing of the gate makes older
 * releases stale. A release is obeyed once, only for the very unit it names. Loss of presence, of the host
 * or of time closes the gate. LEFT is the only evidence of a release; the exit sensor stands at the gate
 * itself, so a unit covers it before it uncovers the presence sensor.
 */
import { equal, fromHex, toHex } from '../../../runtime/core/bytes.ts';
import { type BlockCipher, cmac } from '../../../runtime/core/crypto/cmac.ts';
import {
  type ControllerReport,
  type Lane,
  type Reason,
  type Release,
  type ReportKind,
  releaseBytes,
  reportBytes,
} from '../../../runtime/core/gate/release.ts';

/** Arrivals per boot: the running number takes the low 20 bits, the boot counter the 28 above. */
export const ARRIVALS_PER_BOOT = 2 ** 20;

export const sensors = [
  'clamp-closed',
  'clamp-open',
  'gate-good-closed',
  'gate-reject-closed',
  'exit-good',
  'exit-reject',
  'presence',
] as const;
export type Sensor = (typeof sensors)[number];
export type Sensed = Readonly<Record<Sensor, boolean>>;

/** Who this controller is. */
export interface ControllerSelf {
  readonly controller: string;
  readonly nest: string;
  /** AES-128 under the key that this controller shares with the backend alone. Null for plain Firmata, which has
   * no place for a key: it obeys releases without a tag and no other, and its reports carry no MAC. */
  readonly cipher: BlockCipher | null;
}

/** What must survive a power cut. */
export interface ControllerMemory {
  readonly boots: number;
  /** Highest counter ever obeyed. */
  readonly obeyed: number;
  readonly left: ControllerReport['left'];
}

export interface ControllerState {
  readonly memory: ControllerMemory;
  /** Arrivals named since the boot. */
  readonly running: number;
  /** The unit in the nest; 0 when there is none, or when it has LEFT and still uncovers the sensors. */
  readonly arrival: number;
  /** The gate that is held open. */
  readonly window: Lane | null;
  readonly leaving: boolean;
  readonly sensed: Sensed;
}

export type ControllerEvent =
  | { readonly kind: 'started'; readonly sensed: Sensed }
  | { readonly kind: 'sensed'; readonly sensor: Sensor; readonly active: boolean }
  | { readonly kind: 'open-asked'; readonly release: Release }
  | { readonly kind: 'status-asked' }
  | { readonly kind: 'host-lost' }
  /** The time given by the last `watch` is over. */
  | { readonly kind: 'timed-out' };

export type ControllerAction =
  | { readonly kind: 'remember'; readonly memory: ControllerMemory }
  /** Holds the gate of this lane open, every other one closed. */
  | { readonly kind: 'drive'; readonly lane: Lane | null }
  | { readonly kind: 'watch' }
  | { readonly kind: 'unwatch' }
  | { readonly kind: 'report'; readonly report: ControllerReport };

export interface ControllerStep {
  readonly state: ControllerState;
  readonly actions: readonly ControllerAction[];
}

export const BLANK_MEMORY: ControllerMemory = {
  boots: 0,
  obeyed: 0,
  left: { arrival: 0, counter: 0, lane: 'good' },
};

/** State of a controller without power; `started` is its first event. */
export function unpowered(memory: ControllerMemory): ControllerState {
  const sensed = Object.fromEntries(sensors.map((sensor) => [sensor, false])) as Record<Sensor, boolean>;
  return { memory, running: 0, arrival: 0, window: null, leaving: false, sensed };
}

export function step(self: ControllerSelf, state: ControllerState, event: ControllerEvent): ControllerStep {
  switch (event.kind) {
    case 'started':
      return start(self, state, event.sensed);
    case 'sensed':
      return sense(self, state, event.sensor, event.active);
    case 'open-asked':
      return judge(self, state, event.release);
    case 'status-asked':
      return { state, actions: [say(self, state, 'status', 'none')] };
    case 'host-lost':
      return state.window === null ? { state, actions: [] } : close(self, state, 'host-lost');
    case 'timed-out':
      if (state.window !== null) return close(self, state, 'timed-out');
      // A unit that tripped the exit sensor and stayed is a new arrival, not a unit without a name.
      return state.leaving ? arrive(self, { ...state, leaving: false }) : { state, actions: [] };
  }
}

function start(self: ControllerSelf, before: ControllerState, sensed: Sensed): ControllerStep {
  const memory = { ...before.memory, boots: before.memory.boots + 1 };
  const state: ControllerState = { ...unpowered(memory), sensed };
  const shut: ControllerAction[] = [
    { kind: 'remember', memory },
    { kind: 'drive', lane: null },
    { kind: 'unwatch' },
  ];
  return after([...shut, say(self, state, 'closed', 'reset')], arriveIfPresent(self, state));
}

function sense(
  self: ControllerSelf,
  before: ControllerState,
  sensor: Sensor,
  active: boolean,
): ControllerStep {
  const state = { ...before, sensed: { ...before.sensed, [sensor]: active } };
  if (before.sensed[sensor] === active) return { state: before, actions: [] };
  if (sensor === 'presence') return active ? arrive(self, state) : vacate(self, state);
  if (active && state.window !== null && sensor === `exit-${state.window}`)
    return leave(self, state, state.window);
  return { state, actions: [] };
}

/** Gives the unit in the nest its name. */
function arrive(self: ControllerSelf, before: ControllerState): ControllerStep {
  const spent = before.running === ARRIVALS_PER_BOOT - 1;
  const running = spent ? 1 : before.running + 1;
  const memory = spent ? { ...before.memory, boots: before.memory.boots + 1 } : before.memory;
  const state = { ...before, memory, running, arrival: memory.boots * ARRIVALS_PER_BOOT + running };
  const report = say(self, state, 'arrived', 'none');
  return { state, actions: spent ? [{ kind: 'remember', memory }, report] : [report] };
}

function arriveIfPresent(self: ControllerSelf, state: ControllerState): ControllerStep {
  return state.sensed.presence ? arrive(self, state) : { state, actions: [] };
}

/** The nest is empty now. */
function vacate(self: ControllerSelf, before: ControllerState): ControllerStep {
  if (before.window !== null) return close(self, before, 'presence-lost');
  const state = { ...before, arrival: 0, leaving: false };
  if (before.leaving) return { state, actions: [{ kind: 'unwatch' }] };
  return { state, actions: [say(self, state, 'closed', 'presence-lost')] };
}

function leave(self: ControllerSelf, before: ControllerState, lane: Lane): ControllerStep {
  const left = { arrival: before.arrival, counter: before.memory.obeyed, lane };
  const memory = { ...before.memory, left };
  const state: ControllerState = { ...before, memory, arrival: 0, window: null, leaving: true };
  return {
    state,
    actions: [
      { kind: 'drive', lane: null },
      { kind: 'remember', memory },
      { kind: 'watch' },
      say(self, state, 'left', 'none'),
    ],
  };
}

/** Closes with the unit still there, or gone without passing the exit: what was released is stale now. */
function close(self: ControllerSelf, before: ControllerState, reason: Reason): ControllerStep {
  const shut: ControllerState = { ...before, window: null, arrival: 0 };
  const next = arriveIfPresent(self, shut);
  const actions: ControllerAction[] = [{ kind: 'drive', lane: null }, { kind: 'unwatch' }];
  return after([...actions, say(self, next.state, 'closed', reason)], next);
}

function judge(self: ControllerSelf, before: ControllerState, release: Release): ControllerStep {
  const reason = objection(self, before, release);
  if (reason !== null) return { state: before, actions: [say(self, before, 'refused', reason)] };
  const memory = { ...before.memory, obeyed: release.counter };
  const state: ControllerState = { ...before, memory, window: release.lane };
  return {
    state,
    actions: [
      { kind: 'remember', memory },
      { kind: 'drive', lane: release.lane },
      { kind: 'watch' },
      say(self, state, 'status', 'none'),
    ],
  };
}

/** Why this release does not open, or null. An exit that is still covered counts as a gate not closed. */
function objection(self: ControllerSelf, state: ControllerState, release: Release): Reason | null {
  const { sensed } = state;
  const ours = release.controller === self.controller && release.nest === self.nest;
  if (!ours || !isGenuine(self, release)) return 'tag-wrong';
  if (!sensed.presence) return 'absent';
  if (release.arrival !== state.arrival) return 'arrival-stale';
  if (release.counter <= state.memory.obeyed) return 'counter-used';
  if (gateOf(state) === 'open' || sensed['exit-good'] || sensed['exit-reject']) return 'gate-open';
  return sensed['clamp-open'] && !sensed['clamp-closed'] ? null : 'clamped';
}

/** With a key, nothing but its tag will do; without one, nothing but no tag. */
function isGenuine({ cipher }: ControllerSelf, release: Release): boolean {
  if (cipher === null || release.tag === null) return cipher === null && release.tag === null;
  return equal(fromHex(release.tag), cmac(cipher, releaseBytes(release)));
}

/** Closed only when no gate is held open and both position switches say so. */
function gateOf(state: ControllerState): 'closed' | 'open' {
  const shut =
    state.window === null && state.sensed['gate-good-closed'] && state.sensed['gate-reject-closed'];
  return shut ? 'closed' : 'open';
}

function say(
  self: ControllerSelf,
  state: ControllerState,
  kind: ReportKind,
  reason: Reason,
): ControllerAction {
  const report = {
    kind,
    reason,
    controller: self.controller,
    nest: self.nest,
    arrival: state.arrival,
    gate: gateOf(state),
    obeyed: state.memory.obeyed,
    left: state.memory.left,
  };
  const mac = self.cipher === null ? null : toHex(cmac(self.cipher, reportBytes(report)));
  return { kind: 'report', report: { ...report, mac } };
}

function after(actions: readonly ControllerAction[], next: ControllerStep): ControllerStep {
  return { state: next.state, actions: [...actions, ...next.actions] };
}

/** Tag of a release: what the backend computes. 16 bytes, hexadecimal. */
export function tagOf(cipher: BlockCipher, release: Omit<Release, 'tag'>): string {
  return toHex(cmac(cipher, releaseBytes(release)));
}
