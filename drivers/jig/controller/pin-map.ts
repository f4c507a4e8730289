/**
 * Which pin of the simulated Uno is what. Contacts pull their input to ground: level 0 is "active", so that an
 * open wire reads as "not there" and "not in position". Outputs are active at HIGH and LOW when nobody drives
 * them: the clamp is shut by its spring and the tower is dark.
 */
import type { NestPins } from '../firmata/options.ts';
import type { PinRole } from './firmata-peer.ts';
import type { Sensor } from './gate-controller.ts';

const CLAMP_VALVE = 2;
const TOWER = { green: 3, yellow: 4, red: 5, blue: 6 } as const;
/** The gate valves: the controller's alone, no Firmata message reaches them. */
const GATE_VALVES: readonly number[] = [8, 9];
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
  if (GATE_VALVES.includes(pin) || UNUSED.includes(pin)) return 'none';
  return fixedInputs.has(pin) ? 'fixed-input' : 'free';
}

/** The same pins as a station's configuration names them. */
export const simulatedNestPins: NestPins = {
  clamp: {
    valve: { pin: CLAMP_VALVE, safe: 0 },
    openLevel: 1,
    closed: { pin: sensorPins['clamp-closed'], activeLevel: 0 },
    open: { pin: sensorPins['clamp-open'], activeLevel: 0 },
  },
  lamps: { idle: [TOWER.green], busy: [TOWER.blue], held: [TOWER.yellow], rejected: [TOWER.red] },
};
