/** The reader's end of the vpcd protocol, as pcscd's driver plays it. */
import { createServer, type Server, type Socket } from 'node:net';

export interface VpcdPeer extends AsyncDisposable {
  readonly port: number;
  /** Resolves with the number of connections so far, once a card is connected. */
  inserted(): Promise<number>;
  /** Sends a control; no answer is expected. */
  control(code: number): void;
  /** The bytes that answer a message, ATR? (04) included; null when the card hangs up instead. */
  ask(message: Uint8Array, options?: { readonly inPieces?: boolean }): Promise<Buffer | null>;
  /** Ends the connection as pcscd does when it stops. */
  hangUp(): void;
}

export async function openVpcdPeer(): Promise<VpcdPeer> {
  let card: Socket | null = null;
  let connections = 0;
  let kept = Buffer.alloc(0);
  let answered: ((answer: Buffer | null) => void) | null = null;
  let arrived: (() => void) | null = null;
  const server: Server = createServer((socket) => {
    card = socket;
    connections++;
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      kept = Buffer.concat([kept, chunk]);
      if (kept.length < 2 || kept.length < 2 + kept.readUInt16BE(0)) return;
      const answer = kept.subarray(2, 2 + kept.readUInt16BE(0));
      kept = kept.subarray(2 + answer.length);
      answered?.(answer);
    });
    socket.on('close', () => {
      if (card === socket) card = null;
      answered?.(null);
    });
    arrived?.();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const write = (message: Uint8Array, inPieces: boolean): void => {
    const head = Buffer.of(message.length >> 8, message.length & 0xff);
    if (!inPieces) card?.write(Buffer.concat([head, message]));
    else for (const byte of Buffer.concat([head, message])) card?.write(Buffer.of(byte));
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    inserted: () =>
      new Promise((resolve) => {
        arrived = () => resolve(connections);
        if (card !== null) resolve(connections);
      }),
    control: (code) => write(Buffer.of(code), false),
    ask: (message, options) =>
      new Promise((resolve) => {
        if (card === null) return resolve(null);
        answered = (answer) => {
          answered = null;
          resolve(answer);
        };
        write(message, options?.inPieces ?? false);
      }),
    hangUp: () => {
      card?.destroy();
      card = null;
    },
    [Symbol.asyncDispose]: async () => {
      card?.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
