/**
 * The simulated line with no gate controller: whoever has the pins moves its gates, and nobody judges. Its
 * witness writes down what the gates and the sensors did; it knows no arrivals and no releases.
 */
import type { Lane } from '../../../runtime/core/gate/release.ts';
import type { Clock } from '../../../runtime/core/ports.ts';
import type { GateLogLine } from './fixture.ts';
import type { Sensed, Sensor } from './gate-controller.ts';
import { createLine, type Line, type MotionTimes } from './line.ts';

export interface BareLineOptions {
  readonly clock: Clock;
  readonly motion: MotionTimes;
  readonly seat: (index: number) => Promise<void>;
  readonly witness: (line: GateLogLine) => void;
}

export interface BareLine {
  readonly line: Line;
  gateValve(lane: Lane, open: boolean): void;
  sensed(): Sensed;
  onSensor(handler: (sensor: Sensor, active: boolean) => void): void;
  onWitness(handler: (line: GateLogLine) => void): void;
}

export function createBareLine({ clock, motion, seat, witness }: BareLineOptions): BareLine {
  const sensorHandlers = new Set<(sensor: Sensor, active: boolean) => void>();
  const witnesses = new Set([witness]);
  let open: Lane | null = null;

  const see = (about: Pick<GateLogLine, 'event'> & Partial<GateLogLine>): void => {
    const blank = { arrival: 0, lane: null, counter: 0, reason: 'none' } as const;
    const seen = { at: clock.now(), unit: line.unit(), ...blank, motionMs: line.motionMs(), ...about };
    for (const handler of witnesses) handler(seen);
  };
  const line = createLine({
    clock,
    motion,
    seat,
    sense: (sensor, active) => {
      if (active && sensor === 'presence') see({ event: 'ARRIVED' });
      if (active && sensor === `exit-${open}`) {
        see({ event: 'LEFT', lane: open });
        line.nextUnit();
      }
      for (const handler of sensorHandlers) handler(sensor, active);
    },
    onSeatFailed: (index) => see({ event: 'SEAT-FAILED', unit: index }),
  });
  return {
    line,
    gateValve: (lane, opens) => {
      if (opens === (open === lane)) return;
      // The drive of the other gate cannot move while one stands open.
      if (opens && open !== null) return;
      open = opens ? lane : null;
      see({ event: opens ? 'OPENED' : 'CLOSED', lane });
      line.gateValve(open);
    },
    sensed: line.sensed,
    onSensor: (handler) => {
      sensorHandlers.add(handler);
    },
    onWitness: (handler) => {
      witnesses.add(handler);
    },
  };
}
