/**
 * Brings a fresh link to a ready johnny-five board. firmata-io asks for the version once and never again, so
 * the asking is done here; the board is built after firmata-io is ready, because johnny-five waits for ever
 * on a port that was open before.
 */
import type { EventEmitter } from 'node:events';
import type firmataIo from 'firmata-io';
import type johnnyFive from 'johnny-five';
import { Fault } from '../../../runtime/core/faults.ts';
import { EXTENSION } from '../extension.ts';
import type { Link } from './link.ts';
import type { JigDeadlines } from './options.ts';

export type FirmataIo = InstanceType<typeof firmataIo.Firmata>;
export type JohnnyBoard = InstanceType<typeof johnnyFive.Board>;

export interface Vendors {
  readonly five: typeof johnnyFive;
  readonly firmata: typeof firmataIo;
}

/** Event of a `FirmataIo`: the content of a frame of our extension, as numbers. */
export const EXTENSION_EVENT = 'holdfast-extension';

const ASK_EVERY_MS = 500;
const BOARD_READY_MS = 1_000;
/** firmata-io's own timer is cleared; until then it must not fire. */
const NEVER_MS = 2 ** 31 - 1;
const REPORT_VERSION = 0xf9;
/** The first protocol with F5, one pin at a time. */
const OLDEST = { major: 2, minor: 5 } as const;

export async function loadVendors(): Promise<Vendors> {
  const [five, firmata] = await Promise.all([import('johnny-five'), import('firmata-io')]);
  return { five: five.default, firmata: firmata.default };
}

/** @throws Fault JIG_LINK_LOST, JIG_REFUSED when the board's Firmata cannot write one pin alone */
export async function handshake(
  vendors: Vendors,
  link: Link,
  deadlines: JigDeadlines,
): Promise<{ readonly io: FirmataIo; readonly board: JohnnyBoard }> {
  const io = await greet(vendors, link, deadlines);
  const { major = 0, minor = 0 } = io.version;
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor))
    throw new Fault('JIG_REFUSED', { protocol: `${major}.${minor}`, firmware: io.firmware.name ?? '' });
  return { io, board: await buildBoard(vendors, io) };
}

/** Resolves when firmata-io knows the board, of whatever version. @throws Fault JIG_LINK_LOST */
export async function greet(vendors: Vendors, link: Link, deadlines: JigDeadlines): Promise<FirmataIo> {
  const io = new vendors.firmata.Firmata(link, { reportVersionTimeout: NEVER_MS });
  clearTimeout(io.reportVersionTimeoutId);
  link.discard = () => {
    io.buffer.length = 0;
  };
  hearExtension(io);
  await sleep(deadlines.bootMs);
  const ask = (): void => link.write(Uint8Array.of(END_SYSEX, REPORT_VERSION, 0xf0, 0x79, END_SYSEX));
  const asking = setInterval(ask, ASK_EVERY_MS);
  io.once('queryfirmware', () => clearInterval(asking));
  try {
    const ready = happens(io, 'ready', deadlines.handshakeMs, 'handshake');
    ask();
    await ready;
  } finally {
    clearInterval(asking);
  }
  return io;
}

const END_SYSEX = 0xf7;

export async function buildBoard({ five }: Vendors, io: FirmataIo): Promise<JohnnyBoard> {
  // Components without a board take the first in this cache, which would be a dead one.
  five.Board.cache.length = 0;
  const board = new five.Board({ io, repl: false, sigint: false, debug: false });
  await happens(board, 'ready', BOARD_READY_MS, 'board');
  return board;
}

/** The handler table of firmata-io is global; each frame goes to the instance that read it. */
function hearExtension(io: FirmataIo): void {
  io.clearSysexResponse(EXTENSION);
  io.sysexResponse(EXTENSION, function (data) {
    this.emit(EXTENSION_EVENT, data);
  });
}

/** @throws Fault JIG_LINK_LOST */
function happens(source: EventEmitter, event: string, withinMs: number, waitsFor: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Fault('JIG_LINK_LOST', { waitsFor, withinMs })), withinMs);
    source.once(event, () => {
      clearTimeout(late);
      resolve();
    });
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
