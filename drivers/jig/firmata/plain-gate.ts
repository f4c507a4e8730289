/**
 * The gate of a board with plain Firmata, for a bench: this driver plays the gate controller, by the same rules
 * and with pins only. A release opens once, for the arrival that is present, for a bounded time; loss of
 * presence, the exit sensor, any fault and the end of the driver shut the gate.
 *
 * What it cannot do: verify a tag or MAC a report, as there is no place for a key that the station does not
 * know; hold against a station in wrong hands; shut the gate when this process is killed, its computer fails or
 * the cable is cut, as the board keeps its outputs then, until the next process arms them; know what became of a
 * unit while there was no connection, so that each connection gives the unit another name.
 */
import { Fault } from '../../../runtime/core/faults.ts';
import { type ControllerReport, type Lane, lanes } from '../../../runtime/core/gate/release.ts';
import { type Sensed, type Sensor, sensors } from '../controller/gate-controller.ts';
import { createMachine, type MemoryStore, type Perform } from '../controller/machine.ts';
import type { Gate } from './gate-client.ts';
import type { Inputs } from './inputs.ts';
import { createOpenings } from './openings.ts';
import type { GatePins, InputPin, JigDeadlines, NestPins } from './options.ts';

export interface PlainGate extends Gate {
  /** Takes the gate into service, once its pins are armed and its contacts known. Resolves when the start is
   * remembered and told: a release that came before would fall to it. @throws Fault JIG_LINK_LOST */
  start(): Promise<void>;
}

export interface PlainGateOptions {
  readonly controller: string;
  readonly nest: string;
  readonly clamp: NestPins['clamp'];
  readonly pins: GatePins;
  readonly deadlines: JigDeadlines;
  readonly memory: MemoryStore;
  readonly inputs: Inputs;
  /** @throws Fault JIG_LINK_LOST; the connection is over then, and its outputs are safe */
  readonly set: (pin: number, level: 0 | 1) => Promise<void>;
  readonly nextQuery: () => number;
  readonly onReport: (report: ControllerReport) => void;
}

export function createPlainGate(options: PlainGateOptions): PlainGate {
  const { controller, nest, pins, deadlines, inputs, nextQuery } = options;
  const contacts = contactsOf(options.clamp, pins);
  const sensorAt = new Map(sensors.map((sensor) => [contacts[sensor].pin, sensor]));
  const openings = createOpenings(deadlines.leaveMs);
  const questions = createQuestions(deadlines.reportMs, nextQuery);
  let timeout: NodeJS.Timeout | undefined;
  let started = false;
  let stopped: Fault | null = null;

  const drive = (open: Lane | null): void => {
    for (const lane of lanes) {
      const { pin, safe } = pins[lane].valve;
      const level = lane === open ? (safe === 1 ? 0 : 1) : safe;
      options.set(pin, level).catch(() => undefined); // The connection is over then, and everybody hears of it.
    }
  };
  const perform: Perform = (action, _event, query) => {
    if (stopped !== null) return;
    if (action.kind === 'drive') drive(action.lane);
    else if (action.kind === 'report') {
      openings.hear(action.report, query);
      options.onReport(action.report);
      questions.hear(action.report, query);
    } else {
      clearTimeout(timeout);
      if (action.kind === 'watch')
        timeout = setTimeout(() => machine.handle({ kind: 'timed-out' }), deadlines.gateOpenMs);
    }
  };
  const machine = createMachine({ controller, nest, cipher: null }, options.memory, perform);
  inputs.onChange((pin) => {
    const sensor = sensorAt.get(pin);
    if (sensor === undefined || !started || stopped !== null) return;
    machine.handle({ kind: 'sensed', sensor, active: inputs.active(pin) === true });
  });

  const report = (): Promise<ControllerReport> =>
    stopped === null
      ? questions.ask((query) => machine.handle({ kind: 'status-asked' }, query))
      : Promise.reject(stopped);
  return {
    start: async () => {
      started = true;
      machine.handle({ kind: 'started', sensed: sensedBy(contacts, inputs) });
      await report();
    },
    report,
    open: (release) => {
      if (stopped !== null) return Promise.reject(stopped);
      const query = nextQuery();
      return openings.begin(release, query, () => machine.handle({ kind: 'open-asked', release }, query));
    },
    stop: (fault) => {
      stopped ??= fault;
      clearTimeout(timeout);
      openings.stop(fault);
      questions.stop(fault);
    },
  };
}

interface Questions {
  /** @throws Fault JIG_LINK_LOST */
  ask(put: (query: number) => void): Promise<ControllerReport>;
  hear(report: ControllerReport, query: number): void;
  stop(fault: Fault): void;
}

/** What was asked of the gate, until it has answered: it may be writing its memory. */
function createQuestions(withinMs: number, nextQuery: () => number): Questions {
  const waiting = new Map<number, (answer: ControllerReport | Fault) => void>();
  return {
    ask: (put) =>
      new Promise((resolve, reject) => {
        const query = nextQuery();
        const end = (answer: ControllerReport | Fault): void => {
          clearTimeout(late);
          waiting.delete(query);
          if (answer instanceof Fault) reject(answer);
          else resolve(answer);
        };
        const late = setTimeout(() => end(new Fault('JIG_LINK_LOST', { waitsFor: 'report' })), withinMs);
        waiting.set(query, end);
        put(query);
      }),
    hear: (report, query) => waiting.get(query)?.(report),
    stop: (fault) => {
      for (const end of [...waiting.values()]) end(fault);
    },
  };
}

/** Every contact of the gate; the clamp's are the connection's already. */
export function gateContacts({ presence, good, reject }: GatePins): readonly InputPin[] {
  return [presence, good.closed, good.exit, reject.closed, reject.exit];
}

function contactsOf(
  clamp: NestPins['clamp'],
  { presence, good, reject }: GatePins,
): Readonly<Record<Sensor, InputPin>> {
  return {
    'clamp-closed': clamp.closed,
    'clamp-open': clamp.open,
    'gate-good-closed': good.closed,
    'gate-reject-closed': reject.closed,
    'exit-good': good.exit,
    'exit-reject': reject.exit,
    presence,
  };
}

function sensedBy(contacts: Readonly<Record<Sensor, InputPin>>, inputs: Inputs): Sensed {
  const sensed = sensors.map((sensor) => [sensor, inputs.active(contacts[sensor].pin) === true]);
  return Object.fromEntries(sensed) as Record<Sensor, boolean>;
}
