/**
 * The simulated I/O board: a Firmata peer with the gate controller inside, bytes in and bytes out. The sensors
 * are the controller's own and can also be read as input pins; the gates have no pin that a host could write.
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import type { Clock } from '../../../runtime/core/ports.ts';
import { decodeHostMessage, EXTENSION, EXTENSION_VERSION, encodeBoardMessage } from '../extension.ts';
import { createFirmataPeer } from './firmata-peer.ts';
import type { Fixture } from './fixture.ts';
import { sensors } from './gate-controller.ts';
import { createMischief, type Misbehaviour } from './mischief.ts';
import { clampValvePin, roleOf, sensorPins } from './pin-map.ts';

/** Name of the firmware, as a host reads it. */
export const FIRMWARE_NAME = 'HoldfastGate.ino';

export interface BoardOptions {
  readonly fixture: Fixture;
  readonly clock: Clock;
  readonly send: (bytes: Bytes) => void;
  /** Drops the serial line for so long. */
  readonly hangUp: (forMs: number) => void;
}

export interface Board {
  receive(bytes: Bytes): void;
  /** Says version and firmware, as after power on. */
  announce(): void;
  misbehave(misbehaviour: Misbehaviour): void;
}

export function createBoard(options: BoardOptions): Board {
  const { fixture, clock } = options;
  const mischief = createMischief(clock, options.send);
  const peer = createFirmataPeer({
    firmware: FIRMWARE_NAME,
    role: roleOf,
    send: mischief.send,
    onOutput: (pin, level) => {
      if (pin === clampValvePin) fixture.line.clampValve(level === 1);
    },
    onSysex: (command, content) => {
      if (command === EXTENSION) answer(content);
    },
  });

  const answer = (content: Bytes): void => {
    const message = decodeHostMessage(content);
    if (message?.kind === 'status') fixture.status(message.query);
    if (message?.kind === 'who') {
      const { controller, nest } = fixture.self;
      const identity = { version: EXTENSION_VERSION, controller, nest };
      mischief.send(encodeBoardMessage({ kind: 'identity', query: message.query, ...identity }));
    }
    if (message?.kind === 'open') {
      const { controller, nest } = fixture.self;
      fixture.open({ ...message.release, controller, nest }, message.query);
    }
  };

  const showSensors = (): void => {
    const sensed = fixture.sensed();
    for (const sensor of sensors) peer.setInput(sensorPins[sensor], sensed[sensor] ? 0 : 1);
  };
  showSensors();
  fixture.onSensor((sensor, active) => peer.setInput(sensorPins[sensor], active ? 0 : 1));
  fixture.onReport(({ mac, ...said }, query) => {
    // This firmware has a key: what carries no MAC is not its word.
    if (mac === null) return;
    mischief.send(encodeBoardMessage({ kind: 'report', query, report: { ...said, mac } }));
  });

  const reset = (announced: boolean, bootMs: number): void => {
    mischief.deaf(bootMs);
    peer.reset();
    fixture.reset();
    clock.after(bootMs, () => {
      if (announced) peer.announce();
    });
  };
  return {
    receive: (bytes) => {
      const heard = mischief.receive(bytes);
      if (heard.length === 0) return;
      fixture.hostHeard();
      peer.receive(heard);
    },
    announce: peer.announce,
    misbehave: (misbehaviour) => {
      if (misbehaviour.kind === 'reset') reset(misbehaviour.announced, misbehaviour.bootMs);
      else if (misbehaviour.kind === 'hang-up') options.hangUp(misbehaviour.forMs);
      else mischief.start(misbehaviour);
    },
  };
}
