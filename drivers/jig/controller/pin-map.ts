/**
 * Which pin of the simulated Uno is what. Contacts pull their input to ground: level 0 is "active", so that an
 * open wire reads as "not there" and "not in position". Outputs are active at HIGH and LOW when nobody drives
 * them: the clamp is shut by its spring and the tower is dark.
 */
import type { Lane } from '../../../runtime/core/gate/release.ts';
import type { InputPin, LanePins, NestPins } from '../firmata/options.ts';
import type { PinRole } from './firmata-peer.ts';
import type { Sensor } from './gate-controller.ts';

const CLAMP_VALVE = 2;
const TOWER = { green: 3, yellow: 4, red: 5, blue: 6 } as const;
/** The gate valves: the controller's alone, no Firmata message reaches them; with plain Firmata anybody's. */
export const gateValvePins: Readonly<Record<Lane, number>> = { good: 8, reject: 9 };
/** D13 blinks at boot, so nothing hangs there. D0 and D1 are the serial line. */
const UNUSED: readonly number[] = [0, 1, 13];

export const sensorPins: Readonly<Record<Sensor, number>> = {
  'exit-reject': 12,
  'clamp-closed': 14,
  'clamp-open': 15,
  presence: 16,
  'gate-good-closed': 17,
  'gate-reject-closed': 18,
  'exit-good': 19,
};

export const clampValvePin: number = CLAMP_VALVE;

const fixedInputs = new Set(Object.values(sensorPins));

export function roleOf(pin: number): PinRole {
  if (Object.values(gateValvePins).includes(pin) || UNUSED.includes(pin)) return 'none';
  return fixedInputs.has(pin) ? 'fixed-input' : 'free';
}

/** The same pins as a station's configuration names them. */
export const simulatedNestPins: NestPins = {
  clamp: {
    valve: { pin: CLAMP_VALVE, safe: 0 },
    openLevel: 1,
    closed: contact('clamp-closed'),
    open: contact('clamp-open'),
  },
  lamps: { idle: [TOWER.green], busy: [TOWER.blue], held: [TOWER.yellow], rejected: [TOWER.red] },
  gate: null,
};

/** The same with plain Firmata. */
export const plainNestPins: NestPins = {
  ...simulatedNestPins,
  gate: { presence: contact('presence'), good: lane('good'), reject: lane('reject') },
};

function lane(name: Lane): LanePins {
  const valve = { pin: gateValvePins[name], safe: 0 } as const;
  return { valve, closed: contact(`gate-${name}-closed`), exit: contact(`exit-${name}`) };
}

function contact(sensor: Sensor): InputPin {
  return { pin: sensorPins[sensor], activeLevel: 0 };
}
