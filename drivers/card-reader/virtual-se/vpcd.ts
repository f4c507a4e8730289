/**
 * A virtual SE in the virtual reader of vsmartcard: the card is the TCP client, one connection per slot. Each
 * message is a length of two bytes, big endian, and that many bytes.
 */
import { connect, type Socket } from 'node:net';
import { Fault } from '../../../runtime/core/faults.ts';
import type { VirtualSe } from './card.ts';
import { answerToReset, usualProfile } from './chip.ts';

export interface VpcdOptions {
  readonly port: number;
  readonly host?: string;
  /** The card behind the connection at this moment. A command without a card, or to one without power, ends
   * the connection, as pulling does: vpcd waits for ever on an answer of no bytes. */
  readonly card: () => VirtualSe | null;
  readonly connectTimeoutMs?: number;
}

export interface VpcdLink extends AsyncDisposable {
  /** Resolves when the connection is over: null when `close` ended it. */
  readonly closed: Promise<Fault | null>;
  /** Pulls the card. */
  close(): Promise<void>;
}

/** Messages of one byte. */
const Control = { powerOff: 0x00, powerOn: 0x01, reset: 0x02, answerToReset: 0x04 } as const;
const COMMAND_BYTES_MIN = 4;
const CONNECT_TIMEOUT_MS = 2_000;
/** What the reader sees while no chip is seated. The reader keeps the ATR of the insertion, so it is the one
 * that usual chips have. */
const EMPTY_NEST_ATR = answerToReset(usualProfile);

/** Puts the card into the reader. @throws Fault READER_SERVICE_DOWN when nothing listens there */
export async function connectVpcd(options: VpcdOptions): Promise<VpcdLink> {
  const socket = await open(options);
  let wanted = false;
  let failure: unknown;
  const closed = new Promise<Fault | null>((resolve) => {
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      options.card()?.powerOff();
      resolve(wanted ? null : new Fault('READER_SERVICE_DOWN', place(options), { cause: failure }));
    });
  });
  const messages = createMessages((message) => {
    const answer = respond(options.card(), message);
    if (answer !== null) socket.write(framed(answer));
  });
  socket.on('data', (chunk) => {
    try {
      messages(chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  const close = async (): Promise<void> => {
    wanted = true;
    socket.destroy();
    await closed;
  };
  return { closed, close, [Symbol.asyncDispose]: close };
}

function open(options: VpcdOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: options.port, host: options.host ?? '127.0.0.1', noDelay: true });
    const fail = (cause: unknown): void => {
      socket.destroy();
      reject(new Fault('READER_SERVICE_DOWN', place(options), { cause }));
    };
    const timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const timer = setTimeout(() => fail(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** Null when the reader expects nothing. @throws Error for what no reader says, and when nobody can answer */
function respond(card: VirtualSe | null, message: Buffer): Uint8Array | null {
  if (message.length >= COMMAND_BYTES_MIN) {
    const answer = card?.transmit(message);
    if (answer === undefined || answer.length === 0)
      throw new Error('no card with power to answer a command');
    return answer;
  }
  if (message.length !== 1) throw new Error('a message of vpcd that is neither a control nor a command');
  switch (message[0]) {
    case Control.powerOff:
      card?.powerOff();
      return null;
    case Control.powerOn:
    case Control.reset:
      card?.powerOn();
      return null;
    case Control.answerToReset:
      return card === null ? EMPTY_NEST_ATR : Buffer.from(card.state.atr, 'hex');
    default:
      throw new Error('a control of vpcd that is not known');
  }
}

/** Cuts the stream into messages; what is kept never exceeds one message (64 KiB) and one chunk. */
function createMessages(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let kept = Buffer.alloc(0);
  return (chunk) => {
    kept = kept.length === 0 ? Buffer.from(chunk) : Buffer.concat([kept, chunk]);
    while (kept.length >= 2 && kept.length >= 2 + kept.readUInt16BE(0)) {
      const end = 2 + kept.readUInt16BE(0);
      const message = kept.subarray(2, end);
      kept = kept.subarray(end);
      onMessage(message);
    }
  };
}

/** Length and body in one write: two would wait for each other on the way. */
function framed(body: Uint8Array): Buffer {
  const message = Buffer.alloc(2 + body.length);
  message.writeUInt16BE(body.length);
  message.set(body, 2);
  return message;
}

function place(options: VpcdOptions): { readonly host: string; readonly port: number } {
  return { host: options.host ?? '127.0.0.1', port: options.port };
}
