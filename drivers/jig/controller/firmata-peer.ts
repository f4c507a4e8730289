/**
 * The board's end of Firmata 2.5 for an Uno, byte for byte as StandardFirmata 2.5.9 answers.
 *
 * Limits: analog channels read 0 and are reported once, when asked for, not at each sampling interval; no I2C,
 * servo or PWM output. Where the pins of the gate controller are concerned it is stricter than the original:
 * a pin may have no mode at all, and a fixed input is never driven.
 *
 * @see https://github.com/firmata/protocol/blob/master/protocol.md
 */
import { type Bytes, concat } from '../../../runtime/core/bytes.ts';
import { createFirmataParser } from './firmata-parser.ts';

export const Mode = { input: 0, output: 1, analog: 2, pwm: 3, servo: 4, i2c: 6, pullup: 0x0b } as const;

/** How a pin may be used: freely, as the controller's input, or not at all. */
export type PinRole = 'free' | 'fixed-input' | 'none';

export interface FirmataPeerOptions {
  readonly firmware: string;
  readonly role: (pin: number) => PinRole;
  readonly send: (bytes: Bytes) => void;
  readonly onSysex: (command: number, content: Bytes) => void;
  readonly onOutput: (pin: number, level: number) => void;
}

export interface FirmataPeer {
  receive(bytes: Bytes): void;
  /** The level outside at an input pin. */
  setInput(pin: number, level: number): void;
  /** What a boot says unasked: version, then firmware. */
  announce(): void;
  /** As after power on: D2 to D13 outputs at LOW, A0 to A5 analog, nothing reported. */
  reset(): void;
}

interface Pin {
  mode: number;
  state: number;
  level: number;
}

/** The board as it stands; everything below works on one of these. */
interface Standing {
  readonly options: FirmataPeerOptions;
  readonly pins: readonly Pin[];
  /** Ports that report, with the value last said. */
  readonly reported: Map<number, number>;
}

const PINS = 20;
const VERSION = Uint8Array.of(0xf9, 2, 5);
const PWM_PINS = new Set([3, 5, 6, 9, 10, 11]);

export function createFirmataPeer(options: FirmataPeerOptions): FirmataPeer {
  const pins = Array.from({ length: PINS }, () => ({ mode: Mode.analog, state: 0, level: 0 }));
  const peer: Standing = { options, pins, reported: new Map() };
  reset(peer);
  return {
    receive: createFirmataParser({
      command: (first, data) => obey(peer, first, data),
      sysex: (command, content) => answer(peer, command, content),
    }),
    setInput: (number, level) => {
      const pin = pins[number];
      if (pin === undefined) return;
      pin.level = level;
      reportPort(peer, number >> 3, false);
    },
    announce: () => options.send(concat(VERSION, firmwareMessage(options.firmware))),
    reset: () => reset(peer),
  };
}

function answer({ options, pins }: Standing, command: number, content: Bytes): void {
  const { send } = options;
  const [number] = content;
  if (command === 0x79) send(firmwareMessage(options.firmware));
  else if (command === 0x6b) send(capabilityMessage(options.role));
  else if (command === 0x69) send(ANALOG_MAPPING);
  else if (command === 0x6d && number !== undefined) {
    const pin = pins[number];
    const state = pin === undefined ? [number] : [number, pin.mode, pin.state];
    send(Uint8Array.of(0xf0, 0x6e, ...state, 0xf7));
  } else options.onSysex(command, content);
}

function obey(peer: Standing, first: number, data: readonly [number, number]): void {
  const kind = first < 0xf0 ? first & 0xf0 : first;
  const low = first & 0x0f;
  if (kind === 0x90) writePort(peer, low, data[0] | (data[1] << 7));
  else if (kind === 0xc0 && data[0] !== 0) peer.options.send(Uint8Array.of(0xe0 | low, 0, 0));
  else if (kind === 0xd0 && data[0] === 0) peer.reported.delete(low);
  else if (kind === 0xd0) {
    peer.reported.set(low, -1);
    reportPort(peer, low, true);
  } else if (first === 0xf4) setMode(peer, data[0], data[1]);
  else if (first === 0xf5) write(peer, data[0], data[1]);
  else if (first === 0xf9) peer.options.send(VERSION);
  else if (first === 0xff) softReset(peer);
}

function reset(peer: Standing): void {
  softReset(peer);
  for (const [number, pin] of peer.pins.entries())
    if (pin.mode === Mode.output && peer.options.role(number) === 'free') peer.options.onOutput(number, 0);
}

function reportPort({ options, pins, reported }: Standing, port: number, always: boolean): void {
  let value = 0;
  for (const [bit, pin] of pins.slice(8 * port, 8 * port + 8).entries())
    if (pin.mode === Mode.input || pin.mode === Mode.pullup) value |= pin.level << bit;
  if (!reported.has(port) || (!always && reported.get(port) === value)) return;
  reported.set(port, value);
  options.send(Uint8Array.of(0x90 | port, value & 0x7f, value >> 7));
}

function setMode(peer: Standing, number: number, mode: number): void {
  const { options } = peer;
  const role = options.role(number);
  const pin = peer.pins[number];
  if (pin === undefined || role === 'none') return;
  if (!capabilities(number, role).has(mode)) {
    options.send(stringMessage('Unknown pin mode'));
    return;
  }
  pin.mode = mode;
  pin.state = mode === Mode.pullup ? 1 : 0;
  if (mode === Mode.output) options.onOutput(number, 0);
  reportPort(peer, number >> 3, false);
}

function write({ options, pins }: Standing, number: number, value: number): void {
  const pin = pins[number];
  if (pin?.mode !== Mode.output || options.role(number) !== 'free') return;
  pin.state = value === 0 ? 0 : 1;
  options.onOutput(number, pin.state);
}

function writePort(peer: Standing, port: number, value: number): void {
  for (let bit = 0; bit < 8; bit++) {
    const pin = peer.pins[8 * port + bit];
    const level = (value >> bit) & 1;
    if (pin?.mode === Mode.output) write(peer, 8 * port + bit, level);
    // An input that a host writes as 1 gets its pull-up, and keeps it.
    else if (pin?.mode === Mode.input) pin.state = level;
  }
}

/** SYSTEM_RESET of 2.5.9: an output that is HIGH stays HIGH, yet the pin state says 0. */
function softReset({ pins, reported }: Standing): void {
  reported.clear();
  for (const [number, pin] of pins.entries()) {
    pin.mode = number >= 14 ? Mode.analog : Mode.output;
    pin.state = 0;
  }
}

/** Mode and resolution of everything the Uno's pin can do. */
function capabilities(number: number, role: PinRole): ReadonlyMap<number, number> {
  if (number < 2 || role === 'none') return new Map();
  const can: [number, number][] = [
    [Mode.input, 1],
    [Mode.pullup, 1],
  ];
  if (role === 'free') can.push([Mode.output, 1]);
  if (number >= 14) can.push([Mode.analog, 10]);
  if (role === 'free' && PWM_PINS.has(number)) can.push([Mode.pwm, 8]);
  if (role === 'free') can.push([Mode.servo, 14]);
  if (role === 'free' && number >= 18) can.push([Mode.i2c, 1]);
  return new Map(can);
}

function capabilityMessage(role: (pin: number) => PinRole): Bytes {
  const perPin = Array.from({ length: PINS }, (_, number) =>
    Uint8Array.from([...capabilities(number, role(number))].flat().concat(0x7f)),
  );
  return concat(Uint8Array.of(0xf0, 0x6c), ...perPin, Uint8Array.of(0xf7));
}

const ANALOG_MAPPING: Bytes = Uint8Array.from([0xf0, 0x6a, ...Array(14).fill(0x7f), 0, 1, 2, 3, 4, 5, 0xf7]);

function firmwareMessage(name: string): Bytes {
  return concat(Uint8Array.of(0xf0, 0x79, 2, 5), twoBytesEach(name), Uint8Array.of(0xf7));
}

/** A string message to the host. */
function stringMessage(message: string): Bytes {
  return concat(Uint8Array.of(0xf0, 0x71), twoBytesEach(message), Uint8Array.of(0xf7));
}

function twoBytesEach(characters: string): Bytes {
  return Uint8Array.from([...characters].flatMap((c) => [c.charCodeAt(0) & 0x7f, c.charCodeAt(0) >> 7]));
}
