/**
 * The simulated I/O board with stock firmware: a Firmata peer and nothing else. It knows no extension and no
 * release, its gate valves are pins like any other, and it keeps them as they are when its host falls silent.
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { lanes } from '../../../runtime/core/gate/release.ts';
import type { Clock } from '../../../runtime/core/ports.ts';
import type { BareLine } from './bare-line.ts';
import type { Board } from './board.ts';
import { createFirmataPeer } from './firmata-peer.ts';
import { type Sensor, sensors } from './gate-controller.ts';
import { createMischief } from './mischief.ts';
import { clampValvePin, gateValvePins, sensorPins } from './pin-map.ts';

export interface StockBoardOptions {
  readonly bare: BareLine;
  readonly clock: Clock;
  readonly send: (bytes: Bytes) => void;
  /** Drops the serial line for so long. */
  readonly hangUp: (forMs: number) => void;
}

/** How long a unit covers an exit sensor, and a host has time to see it. */
const EXIT_COVERED_MS = 250;

export function createStockBoard({ bare, clock, send, hangUp }: StockBoardOptions): Board {
  const mischief = createMischief(clock, send);
  const peer = createFirmataPeer({
    firmware: 'StandardFirmata.ino',
    role: () => 'free',
    send: mischief.send,
    onOutput: (pin, level) => {
      if (pin === clampValvePin) bare.line.clampValve(level === 1);
      for (const lane of lanes) if (pin === gateValvePins[lane]) bare.gateValve(lane, level === 1);
    },
    onSysex: () => undefined,
  });
  const show = (sensor: Sensor, active: boolean): void => peer.setInput(sensorPins[sensor], active ? 0 : 1);
  const sensed = bare.sensed();
  for (const sensor of sensors) show(sensor, sensed[sensor]);
  bare.onSensor((sensor, active) => {
    const uncovered = !active && (sensor === 'exit-good' || sensor === 'exit-reject');
    if (uncovered) clock.after(EXIT_COVERED_MS, () => show(sensor, false));
    else show(sensor, active);
  });

  const reset = (announced: boolean, bootMs: number): void => {
    mischief.deaf(bootMs);
    peer.reset();
    clock.after(bootMs, () => {
      if (announced) peer.announce();
    });
  };
  return {
    receive: (bytes) => peer.receive(mischief.receive(bytes)),
    announce: peer.announce,
    misbehave: (misbehaviour) => {
      if (misbehaviour.kind === 'reset') reset(misbehaviour.announced, misbehaviour.bootMs);
      else if (misbehaviour.kind === 'hang-up') hangUp(misbehaviour.forMs);
      else mischief.start(misbehaviour);
    },
  };
}
