/**
 * Parts of the real driver over the stock firmware that npm carries, in an emulator of its processor. It speaks
 * Firmata 2.4: the driver refuses it whole, for it cannot write one pin alone and has no pull-ups. What the
 * versions share is tried here: handshake, ports, reports, pin states and the recovery of a broken frame.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { plainNestPins } from '../../drivers/jig/controller/pin-map.ts';
import {
  buildBoard,
  greet,
  handshake,
  loadVendors,
  type Vendors,
} from '../../drivers/jig/firmata/handshake.ts';
import { createInputs } from '../../drivers/jig/firmata/inputs.ts';
import { Link, type Port } from '../../drivers/jig/firmata/link.ts';
import { defaultJigDeadlines } from '../../drivers/jig/firmata/options.ts';
import { createPins } from '../../drivers/jig/firmata/pins.ts';
import { type SessionEvent, startSession } from '../../drivers/jig/firmata/session.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';
import type { Fault } from '../../runtime/core/faults.ts';
import { isFault } from '../../runtime/core/faults.ts';
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
  before(async () => {
    bench = startBench();
    vendors = await loadVendors();
  });
  after(() => bench.stop());
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
        plain: null,
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
    const send = (bytes: Uint8Array): void => link.write(bytes);
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
    await pins.write(8, 0, () => io.digitalWrite(8, 0));
    assert.equal(bench.chip.pin(8), 0);
    assert.deepEqual(faults, []);
    inputs.forget();
    await link.drop();
  });
});
