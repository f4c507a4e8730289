/**
 * Splits what a host sends into Firmata messages, with the habits of the original: a broken sysex swallows
 * everything, status bytes included, until the next F7 and is then handled under its first byte; a truncated
 * message falls away at the next status byte; data bytes without a command are ignored.
 */
import type { Bytes } from '../../../runtime/core/bytes.ts';

/** Longest sysex that is kept, its command included: MAX_DATA_BYTES of the stock firmware. */
const SYSEX_BYTES_MAX = 64;

export interface FirmataHandlers {
  readonly command: (first: number, data: readonly [number, number]) => void;
  readonly sysex: (command: number, content: Bytes) => void;
}

/** How many data bytes follow each command. */
function dataBytesOf(first: number): number | null {
  const kind = first < 0xf0 ? first & 0xf0 : first;
  if (kind === 0x90 || kind === 0xe0 || kind === 0xf4 || kind === 0xf5) return 2;
  if (kind === 0xc0 || kind === 0xd0) return 1;
  return kind === 0xf9 || kind === 0xff ? 0 : null;
}

/** The returned function takes bytes as they come, in pieces of any size. */
export function createFirmataParser(handlers: FirmataHandlers): (bytes: Bytes) => void {
  let sysex: number[] | null = null;
  let overlong = false;
  let first = 0;
  let waiting = 0;
  let data: number[] = [];

  const endSysex = (): void => {
    const [command, ...content] = sysex ?? [];
    const whole = !overlong;
    sysex = null;
    overlong = false;
    if (command !== undefined && whole) handlers.sysex(command, Uint8Array.from(content));
  };
  const begin = (byte: number): void => {
    waiting = 0;
    data = [];
    if (byte === 0xf0) {
      sysex = [];
      return;
    }
    const expected = dataBytesOf(byte);
    if (expected === null) return;
    first = byte;
    if (expected === 0) handlers.command(byte, [0, 0]);
    else waiting = expected;
  };
  const take = (byte: number): void => {
    if (sysex !== null) {
      if (byte === 0xf7) endSysex();
      else if (sysex.length < SYSEX_BYTES_MAX) sysex.push(byte);
      else overlong = true;
    } else if (byte >= 0x80) begin(byte);
    else if (waiting > 0) {
      data.push(byte);
      waiting -= 1;
      if (waiting === 0) handlers.command(first, [data[0] ?? 0, data[1] ?? 0]);
    }
  };
  return (bytes) => {
    for (const byte of bytes) take(byte);
  };
}
