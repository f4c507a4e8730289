/**
 * Parts of the real driver over the stock firmware that npm carries, in an emulator of its processor. It speaks
 * Firmata 2.4: the driver refuses it whole, for it cannot write one pin alone and has no pull-ups. What the
 * versions share is tried here: handshake, ports, reports, pin states and the recovery of a broken frame.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Sensor, sensors } from '../../drivers/jig/controller/gate-controller.ts';
import { plainNestPins, sensorPins } from '../../drivers/jig/controller/pin-map.ts';
import { createVolatileMemory } from '../../drivers/jig/controller/state-file.ts';
import {
  buildBoard,
  greet,
  handshake,
  loadVendors,
  type Vendors,
} from '../../drivers/jig/firmata/handshake.ts';
import { createInputs } from '../../drivers/jig/firmata/inputs.ts';
import { Link, type Port } from '../../drivers/jig/firmata/link.ts';
import type { InputPin, LanePins } from '../../drivers/jig/firmata/options.ts';
import { defaultJigDeadlines } from '../../drivers/jig/firmata/options.ts';
import { createPins } from '../../drivers/jig/firmata/pins.ts';
import { createPlainGate, gateContacts } from '../../drivers/jig/firmata/plain-gate.ts';
import { type SessionEvent, startSession } from '../../drivers/jig/firmata/session.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';

import { Fault, isFault } from '../../runtime/core/faults.ts';
import type { ControllerReport } from '../../runtime/core/gate/release.ts';
import { PATIENT, until } from './board-rig.ts';
import { type Chip, createChip } from './firmware/chip.ts';

const HEX = 'node_modules/avrgirl-arduino/junk/hex/uno/StandardFirmata.cpp.hex';
const deadlines = { ...defaultJigDeadlines, ...PATIENT, armMs: 2_000, writeMs: 2_000, handshakeMs: 20_000 };
/** Its boot blinks for two seconds. */
const BOOT_MS = 2_300;
const SLICE_MS = 4;

interface Bench {
  readonly chip: Chip;
  openPort(): Port;
  stop(): void;
}

/** No sleep in this firmware: the emulator works all the time, and time is emulated at its own pace. */
function startBench(): Bench {
  let hear: (bytes: Bytes) => void = () => undefined;
  let said: number[] = [];
  const chip = createChip({ hex: readFileSync(HEX, 'utf8'), onByte: (byte) => said.push(byte) });
  chip.run(BOOT_MS);
  const timer = setInterval(() => {
    chip.run(SLICE_MS);
    const bytes = Uint8Array.from(said);
    said = [];
    if (bytes.length > 0) hear(bytes);
  }, SLICE_MS);
  return {
    chip,
    stop: () => clearInterval(timer),
    openPort: () => {
      let isOpen = true;
      return {
        get isOpen() {
          return isOpen;
        },
        write: (bytes) => chip.say(bytes),
        close: (done) => {
          isOpen = false;
          hear = () => undefined;
          done(null);
        },
        on: (event: string, handler: unknown) => {
          if (event === 'data') hear = handler as typeof hear;
        },
      };
    },
  };
}

describe('stock firmware in an emulator', existsSync(HEX) ? {} : { skip: `${HEX} is not there` }, () => {
  let bench: Bench;
  let vendors: Vendors;
  const directory = mkdtempSync(join(tmpdir(), 'stock-'));
  before(async () => {
    bench = startBench();
    vendors = await loadVendors();
  });
  after(() => {
    bench.stop();
    rmSync(directory, { recursive: true });
  });
  const fresh = (): Link => new Link(bench.openPort(), () => undefined);
  const isRefused = (fault: unknown): boolean =>
    isFault(fault) && fault.code === 'JIG_REFUSED' && fault.context.protocol === '2.4';

  it('is greeted, and refused for its version', async () => {
    const link = fresh();
    await assert.rejects(handshake(vendors, link, deadlines), isRefused);
    await link.drop();
  });

  it('is refused by a session too, where plain Firmata is allowed, and no pin of a gate moves', async () => {
    const events: SessionEvent[] = [];
    const session = startSession({
      options: {
        serialPath: 'memory',
        controller: 'gate-1',
        nests: { n1: plainNestPins },
        deadlines,
        plain: { memoryFile: join(directory, 'plain-gate.json') },
      },
      openPort: async () => bench.openPort(),
      firstQuery: 0,
      onEvent: (event) => events.push(event),
    });
    await until(() => events.length > 0);
    await session.close();
    assert.ok(isRefused((events[0] as { fault?: Fault }).fault));
    assert.deepEqual([bench.chip.pin(8), bench.chip.pin(9)], [0, 0]);
  });

  it('shows what was written to its ports, reports its inputs, and recovers from a frame without an end', async () => {
    const link = fresh();
    const io = await greet(vendors, link, deadlines);
    assert.deepEqual([io.version.major, io.version.minor], [2, 4]);
    const faults: Fault[] = [];
    let queries = 0;
    const send = (bytes: Uint8Array): void => {
      queries += 1;
      link.write(bytes);
    };
    const pins = createPins({ io, deadlines, send, onFault: (fault) => faults.push(fault) });
    await pins.arm(8, 0);
    await pins.arm(9, 0);
    await pins.write(9, 1, () => io.digitalWrite(9, 1));
    assert.deepEqual([bench.chip.pin(8), bench.chip.pin(9)], [0, 1]);
    await pins.write(8, 1, () => io.digitalWrite(8, 1));
    await pins.write(9, 0, () => io.digitalWrite(9, 0));
    assert.deepEqual([bench.chip.pin(8), bench.chip.pin(9)], [1, 0]);

    const inputs = createInputs(io, await buildBoard(vendors, io), deadlines.debounceMs);
    pins.watchInput(16, inputs.add({ pin: 16, activeLevel: 1 }));
    inputs.report();
    assert.ok(await inputs.until(() => inputs.active(16) === false, 10_000));
    bench.chip.setPin(16, 1);
    assert.ok(await inputs.until(() => inputs.active(16) === true, 10_000));

    bench.chip.say(Uint8Array.of(0xf0, 0x6d, 0x08));
    queries = 0;
    await pins.write(8, 0, () => io.digitalWrite(8, 0));
    assert.equal(bench.chip.pin(8), 0);
    assert.equal(queries, 1, 'the first try got through');
    assert.deepEqual(faults, []);
    inputs.forget();
    await link.drop();
  });

  it('is a gate that the driver plays: opens once for the arrival, shuts at the exit and when the unit is taken', async () => {
    const link = fresh();
    const io = await greet(vendors, link, deadlines);
    const send = (bytes: Uint8Array): void => link.write(bytes);
    const pins = createPins({ io, deadlines, send, onFault: () => undefined });
    const inputs = createInputs(io, await buildBoard(vendors, io), deadlines.debounceMs);
    const set = (sensor: Sensor, active: boolean): void =>
      bench.chip.setPin(sensorPins[sensor], active ? 1 : 0);
    for (const sensor of sensors) set(sensor, sensor === 'clamp-open' || sensor.startsWith('gate-'));
    const reports: ControllerReport[] = [];
    let query = 0;
    const gate = createPlainGate({
      controller: 'gate-1',
      nest: 'n1',
      ...withoutPullUps(),
      deadlines,
      memory: createVolatileMemory(),
      inputs,
      set: (pin, level) => pins.write(pin, level, () => io.digitalWrite(pin, level)),
      nextQuery: () => ++query,
      onReport: (report) => reports.push(report),
    });
    const { clamp, pins: wiring } = withoutPullUps();
    for (const pin of [8, 9]) await pins.arm(pin, 0);
    for (const input of [clamp.closed, clamp.open, ...gateContacts(wiring)]) inputs.add(input);
    inputs.report();
    assert.ok(await inputs.until(inputs.known, 10_000));
    await gate.start();

    const arrive = async (): Promise<number> => {
      set('presence', true);
      await until(() => reports.at(-1)?.kind === 'arrived');
      return reports.at(-1)?.arrival ?? 0;
    };
    const release = { controller: 'gate-1', nest: 'n1', lane: 'good', epoch: 1, tag: null } as const;
    const operation = '01930000-0000-7000-8000-00000000abcd';
    const first = await arrive();
    const leaving = gate.open({ ...release, operation, arrival: first, counter: 1 });
    await until(() => bench.chip.pin(8) === 1);
    set('exit-good', true);
    assert.equal((await leaving).left.arrival, first);
    await until(() => bench.chip.pin(8) === 0);
    set('exit-good', false);
    set('presence', false);
    await until(() => inputs.active(sensorPins.presence) === false && inputs.active(19) === false);
    const second = await arrive();
    assert.ok(second > first);
    await assert.rejects(gate.open({ ...release, operation, arrival: first, counter: 2 }), isFault);
    const taken = assert.rejects(gate.open({ ...release, operation, arrival: second, counter: 2 }), isFault);
    await until(() => bench.chip.pin(8) === 1);
    set('presence', false);
    await until(() => bench.chip.pin(8) === 0);
    await taken;
    assert.equal(bench.chip.pin(9), 0);
    gate.stop(new Fault('JIG_LINK_LOST', { reason: 'closed' }));
    inputs.forget();
    await link.drop();
  });
});

/** This firmware has no pull-ups: the contacts of this bench drive their pins HIGH. */
function withoutPullUps(): Pick<Parameters<typeof createPlainGate>[0], 'clamp' | 'pins'> {
  const { clamp, gate } = plainNestPins;
  assert.ok(gate !== null);
  const high = ({ pin }: InputPin): InputPin => ({ pin, activeLevel: 1 });
  const lane = (of: LanePins): LanePins => ({ ...of, closed: high(of.closed), exit: high(of.exit) });
  return {
    clamp: { ...clamp, closed: high(clamp.closed), open: high(clamp.open) },
    pins: { presence: high(gate.presence), good: lane(gate.good), reject: lane(gate.reject) },
  };
}
