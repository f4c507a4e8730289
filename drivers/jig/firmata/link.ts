/**
 * The transport under firmata-io: one serial port, opened once and never again. It refuses to write when the
 * port is not open, where serialport would queue and replay; it keeps a damaged answer from becoming an
 * uncaught exception; and it tells of the end of the link exactly once.
 */
import { EventEmitter } from 'node:events';
import type { Bytes } from '../../../runtime/core/bytes.ts';

/** What this driver needs of a serial port, so that a peer in memory or an emulator can stand in. */
export interface Port {
  readonly isOpen: boolean;
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): unknown;
  close(done: (error: Error | null) => void): void;
  on(event: 'data', handler: (bytes: Bytes) => void): unknown;
  on(event: 'close' | 'error', handler: (error?: Error | null) => void): unknown;
}
export type OpenPort = (path: string) => Promise<Port>;

/** Baud rate of StandardFirmata. */
const BAUD_RATE = 57_600;
/** End of a sysex. Alone it does nothing, and before a frame it ends one whose own F7 was lost. */
const END_SYSEX = 0xf7;
const CLOSE_MS = 1_000;

export async function openSerialPort(path: string): Promise<Port> {
  const { SerialPort } = await import('serialport');
  return new Promise((resolve, reject) => {
    const port = new SerialPort({ path, baudRate: BAUD_RATE, hupcl: false, lock: true }, (error) => {
      if (error !== null) reject(error);
      // What an earlier process was sent and never read is not an answer to this one.
      else port.flush((failure) => (failure ? port.close(() => reject(failure)) : resolve(port)));
    });
  });
}

export class Link extends EventEmitter {
  readonly #port: Port;
  #up = true;
  #damaged = 0;
  /** Empties the parser of whoever reads the data; set by the one who builds it. */
  discard: () => void = () => undefined;

  /** @param onDown called once, when the port closes or fails, not when `drop` is called. */
  constructor(port: Port, onDown: (error: Error) => void) {
    super();
    this.#port = port;
    const down = (error?: Error | null): void => {
      if (!this.#up) return;
      this.#up = false;
      onDown(error ?? new Error('the serial port closed'));
    };
    port.on('close', down);
    port.on('error', down);
    port.on('data', (bytes) => this.#take(bytes));
  }

  /** Frames that firmata-io could not digest. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Refused, not queued, when the link is down: the error goes to `done`. */
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): void {
    if (!this.#up || !this.#port.isOpen) {
      done?.(new Error('the serial port is not open'));
      return;
    }
    const first = bytes[0] === END_SYSEX ? [] : [END_SYSEX];
    this.#port.write(Buffer.from([...first, ...bytes]), done);
  }

  /** Closes the port. @returns false when it did not close in time and this process should end. */
  async drop(): Promise<boolean> {
    this.#up = false;
    this.removeAllListeners();
    if (!this.#port.isOpen) return true;
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), CLOSE_MS);
      this.#port.close(() => {
        clearTimeout(late);
        resolve(true);
      });
    });
  }

  /** One byte at a time: what cannot be digested takes nothing with it but its own frame. */
  #take(bytes: Bytes): void {
    for (const byte of bytes) {
      if (!this.#up) return;
      try {
        this.emit('data', [byte]);
      } catch {
        // firmata-io throws at a pin that does not exist and the like. Whoever waits for the answer
        // that was damaged has a deadline.
        this.#damaged += 1;
        this.discard();
      }
    }
  }
}
