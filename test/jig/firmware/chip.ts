/**
 * For tests: an ATmega328P with its EEPROM, its serial line and its pins, in emulated time. A power cut may fall
 * into the writing of a byte, which is left torn.
 *
 * Limits: contacts and pull-ups are levels, not currents; no brown-out detector and no fuses; instructions run
 * whole, so a cut falls between two of them.
 */
import {
  AVREEPROM,
  AVRIOPort,
  AVRTimer,
  AVRUSART,
  AVRWatchdog,
  avrInstruction,
  CPU,
  type EEPROMBackend,
  portBConfig,
  portCConfig,
  portDConfig,
  timer0Config,
  timer1Config,
  timer2Config,
  usart0Config,
  watchdogConfig,
} from 'avr8js';
import type { Bytes } from '../../../runtime/core/bytes.ts';
import { readIntelHex } from '../../../scripts/firmware/intel-hex.ts';
import { createTearableEeprom, type Torn } from './tearable-eeprom.ts';

const HERTZ = 16_000_000;
const CYCLES_PER_MS = HERTZ / 1_000;
const FLASH_BYTES = 0x8000;
const RAM_BYTES = 2_048;
const SLEEP = 0x9588;
const PORTS = [portDConfig, portBConfig, portCConfig] as const;
/** First pin of each port: D0, D8, A0. */
const FIRST_PINS = [0, 8, 14] as const;
const PINS = 20;
/** Bytes on their way to the board; what comes on top is lost. */
const LINE_BYTES_MAX = 4_096;

export interface Chip {
  /** Milliseconds of emulated time since the beginning, power cuts included. */
  nowMs(): number;
  /** Bytes of EEPROM that were written or erased since the beginning. */
  eepromWrites(): number;
  run(ms: number): void;
  /** Lets a number of clock cycles pass; an instruction is not cut in two. */
  runCycles(cycles: number): void;
  /** Bytes for the board, at the rate of its line. */
  say(bytes: Bytes): void;
  /** The level outside at an input. */
  setPin(pin: number, level: 0 | 1): void;
  /** What the board drives; null when it drives nothing. */
  pin(pin: number): 0 | 1 | null;
  /** Power goes and comes back. A byte of EEPROM that was being written is left so. */
  powerCycle(torn?: Torn): void;
  /** The line carries nothing in either direction. */
  cut(on: boolean): void;
  readonly eeprom: Bytes;
}

export interface ChipOptions {
  /** Intel HEX. */
  readonly hex: string;
  readonly eeprom?: Bytes;
  /** Bytes of EEPROM that stay as they are, whatever is written. */
  readonly isWorn?: (place: number) => boolean;
  readonly onByte: (byte: number) => void;
  /** A pin is driven to another level, or let go. */
  readonly onPin?: (pin: number, level: 0 | 1 | null) => void;
}

interface Powered {
  readonly cpu: CPU;
  readonly ports: readonly AVRIOPort[];
  readonly usart: AVRUSART;
  resetAsked: boolean;
  asleep: boolean;
}

export function createChip(options: ChipOptions): Chip {
  const { onByte, onPin } = options;
  const flash = new Uint16Array(readIntelHex(options.hex, FLASH_BYTES).buffer);
  const outside = new Map<number, 0 | 1>();
  const driven: (0 | 1 | null)[] = Array.from({ length: PINS }, () => null);
  const line: number[] = [];
  let before = 0;
  let isCut = false;

  const drive = (pin: number, level: 0 | 1 | null): void => {
    if (driven[pin] === level) return;
    driven[pin] = level;
    onPin?.(pin, level);
  };
  const feed = (): void => {
    const [next] = line;
    if (next !== undefined && powered.usart.writeByte(next)) line.shift();
  };
  const eeprom = createTearableEeprom(options.eeprom, () => before + powered.cpu.cycles, options.isWorn);
  const power = (): Powered => {
    const fresh = assemble(flash, eeprom.backend);
    fresh.usart.onByteTransmit = (byte) => {
      if (!isCut) onByte(byte);
    };
    fresh.usart.onRxComplete = () => feed();
    for (const [index, port] of fresh.ports.entries())
      port.addListener(() => {
        const first = FIRST_PINS[index] ?? 0;
        for (let bit = 0; bit < 8 && first + bit < PINS; bit++)
          if (index !== 1 || bit < 6) drive(first + bit, levelOf(port.pinState(bit)));
      });
    for (const [pin, level] of outside) put(fresh, pin, level);
    return fresh;
  };
  const cycle = (torn: Torn): void => {
    eeprom.tear(torn);
    before += powered.cpu.cycles;
    for (let pin = 0; pin < PINS; pin++) drive(pin, null);
    line.length = 0;
    powered = power();
  };
  const runCycles = (cycles: number): void => {
    for (let end = powered.cpu.cycles + cycles; powered.cpu.cycles < end; ) {
      feed();
      runUntil(powered, flash, end);
      if (!powered.resetAsked) continue;
      end -= powered.cpu.cycles;
      cycle('done');
    }
  };
  let powered = power();
  return {
    nowMs: () => (before + powered.cpu.cycles) / CYCLES_PER_MS,
    eepromWrites: eeprom.writes,
    run: (ms) => runCycles(ms * CYCLES_PER_MS),
    runCycles,
    say: (bytes) => {
      if (isCut) return;
      line.push(...bytes.subarray(0, LINE_BYTES_MAX - line.length));
    },
    setPin: (pin, level) => {
      outside.set(pin, level);
      put(powered, pin, level);
    },
    pin: (pin) => driven[pin] ?? null,
    powerCycle: (torn = 'done') => cycle(torn),
    cut: (on) => {
      isCut = on;
      line.length = 0;
    },
    eeprom: eeprom.bytes,
  };
}

function assemble(flash: Uint16Array, backend: EEPROMBackend): Powered {
  const cpu = new CPU(flash, RAM_BYTES);
  const ports = PORTS.map((config) => new AVRIOPort(cpu, config));
  for (const config of [timer0Config, timer1Config, timer2Config]) new AVRTimer(cpu, config);
  const usart = new AVRUSART(cpu, usart0Config, HERTZ);
  new AVREEPROM(cpu, backend);
  // Of the clock unit the watchdog needs to know the frequency alone.
  new AVRWatchdog(cpu, watchdogConfig, { frequency: HERTZ } as ConstructorParameters<typeof AVRWatchdog>[2]);
  const powered = { cpu, ports, usart, resetAsked: false, asleep: false };
  keepReceived(cpu, usart);
  // The emulator's own reset leaves pins and peripherals as they were; a chip's does not.
  cpu.reset = () => {
    powered.resetAsked = true;
  };
  return powered;
}

/** The emulator forgets a byte that was received when the board switches its sending on or off; a chip does not. */
function keepReceived(cpu: CPU, usart: AVRUSART): void {
  const { UCSRA, UCSRB } = usart0Config;
  const { RXC } = usart as unknown as { readonly RXC: Parameters<CPU['setInterruptFlag']>[0] };
  const original = cpu.writeHooks[UCSRB];
  cpu.writeHooks[UCSRB] = (...write) => {
    const received = ((cpu.data[UCSRA] ?? 0) & RXC.flagMask) !== 0;
    const done = original?.(...write) ?? false;
    if (received) cpu.setInterruptFlag(RXC);
    return done;
  };
}

/**
 * A sleeping processor costs nothing: time goes on to the next thing that happens. Interrupts wait for the end of
 * the instruction behind the one that allowed them, as compilers trust when they set the stack pointer.
 */
function runUntil(powered: Powered, flash: Uint16Array, end: number): void {
  const { cpu } = powered;
  const events = cpu as unknown as { readonly nextClockEvent: { readonly cycles: number } | null };
  while (cpu.cycles < end && !powered.resetAsked) {
    if (powered.asleep) {
      const { pc } = cpu;
      if (cpu.nextInterrupt < 0)
        cpu.cycles = Math.max(cpu.cycles, Math.min(end, events.nextClockEvent?.cycles ?? end));
      cpu.tick();
      // An interrupt wakes it, and nothing else does.
      powered.asleep = cpu.pc === pc;
      continue;
    }
    const allowed = cpu.interruptsEnabled;
    powered.asleep = flash[cpu.pc] === SLEEP;
    avrInstruction(cpu);
    if (powered.asleep) continue;
    if (allowed || cpu.nextInterrupt < 0 || !cpu.interruptsEnabled) cpu.tick();
  }
}

function put({ ports }: Powered, pin: number, level: 0 | 1): void {
  const index = pin < 8 ? 0 : pin < 14 ? 1 : 2;
  ports[index]?.setPin(pin - (FIRST_PINS[index] ?? 0), level === 1);
}

/** `PinState` of the emulator: 0 low, 1 high, 2 and 3 inputs. */
function levelOf(state: number): 0 | 1 | null {
  return state === 0 ? 0 : state === 1 ? 1 : null;
}
