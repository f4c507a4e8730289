/**
 * For tests: the firmware in real time, at the simulated line and at one end of a serial line, for the real driver
 * at the other. The chip runs in this process; it sleeps most of the time, so a slice of it takes little.
 */

import { openSystemClock } from '../../../drivers/clock/system.ts';
import { createBareLine } from '../../../drivers/jig/controller/bare-line.ts';
import type { GateLogLine } from '../../../drivers/jig/controller/fixture.ts';
import type { Sensed, Sensor } from '../../../drivers/jig/controller/gate-controller.ts';
import { sensors } from '../../../drivers/jig/controller/gate-controller.ts';
import type { Line } from '../../../drivers/jig/controller/line.ts';
import { clampValvePin, gateValvePins, sensorPins } from '../../../drivers/jig/controller/pin-map.ts';
import { decodeBoardMessage, EXTENSION } from '../../../drivers/jig/extension.ts';
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { lanes } from '../../../runtime/core/gate/release.ts';
import { type Chip, type ChipOptions, createChip } from './chip.ts';

export interface Bench {
  readonly chip: Chip;
  readonly line: Line;
  /** What the pins did, and what the board said of its closings. */
  readonly log: readonly GateLogLine[];
  sensed(): Sensed;
  /** Bytes from the host. */
  hear(bytes: Bytes): void;
  stop(): void;
}

export interface BenchOptions extends Pick<ChipOptions, 'hex' | 'eeprom'> {
  /** Bytes of the board. */
  readonly send: (bytes: Bytes) => void;
}

const SLICE_MS = 2;
/** What a machine that was busy has to make up for at most; the rest of the time never was. */
const BEHIND_MS_MAX = 50;
/** How long a unit covers an exit sensor. */
const EXIT_COVERED_MS = 60;

export function startBench({ hex, eeprom, send }: BenchOptions): Bench {
  const clock = openSystemClock();
  const log: GateLogLine[] = [];
  const bare = createBareLine({
    clock,
    motion: { arriveMs: 10, clampMs: 10, gateMs: 10, leaveMs: 10 },
    seat: async () => undefined,
    witness: (line) => log.push(line),
  });
  let said: number[] = [];
  const chip = createChip({
    hex,
    ...(eeprom === undefined ? {} : { eeprom }),
    onByte: (byte) => said.push(byte),
    onPin: (pin, level) => {
      if (pin === clampValvePin) bare.line.clampValve(level === 1);
      for (const lane of lanes) if (pin === gateValvePins[lane]) bare.gateValve(lane, level === 1);
    },
  });
  const show = (sensor: Sensor, active: boolean): void => chip.setPin(sensorPins[sensor], active ? 0 : 1);
  for (const sensor of sensors) show(sensor, bare.sensed()[sensor]);
  bare.onSensor((sensor, active) => {
    if (!active && sensor.startsWith('exit-')) clock.after(EXIT_COVERED_MS, () => show(sensor, false));
    else show(sensor, active);
  });
  const closings = closingsIn((reason) => {
    const blank = { at: clock.now(), event: 'CLOSED', unit: bare.line.unit(), arrival: 0 } as const;
    log.push({ ...blank, lane: null, counter: 0, reason, motionMs: bare.line.motionMs() });
  });
  let behindSince = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    chip.run(Math.min(now - behindSince, BEHIND_MS_MAX));
    behindSince = now;
    if (said.length === 0) return;
    const bytes = Uint8Array.from(said);
    said = [];
    closings(bytes);
    send(bytes);
  }, SLICE_MS);
  return {
    chip,
    line: bare.line,
    log,
    sensed: bare.sensed,
    hear: chip.say,
    stop: () => clearInterval(timer),
  };
}

/** Listens for the reports of a closed gate in what the board says. */
function closingsIn(tell: (reason: GateLogLine['reason']) => void): (bytes: Bytes) => void {
  let frame: number[] = [];
  return (bytes) => {
    for (const byte of bytes) {
      if (byte === 0xf0) frame = [];
      frame.push(byte);
      if (byte !== 0xf7 || frame[1] !== EXTENSION) continue;
      const message = decodeBoardMessage(Uint8Array.from(frame.slice(2, -1)));
      if (message?.kind === 'report' && message.report.kind === 'closed') tell(message.report.reason);
    }
  };
}
