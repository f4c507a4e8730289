/** Takes instructions at a Unix socket that only this program's user can reach: one line, one answer, the end. */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { INSTRUCTION_LENGTH_MAX, type InstructionHandler } from '../../runtime/core/messages/instruction.ts';
import type { InstructionDoor } from '../../runtime/core/ports.ts';
import { answerInstruction } from './answer.ts';

const CALLERS_MAX = 8;
/** Longest silence of a caller that has not finished its line. */
const SILENCE_MS = 10_000;
const MODE = 0o600;

/** The socket is there when `serve` resolves. One that an ended program left behind is replaced. */
export function openInstructionSocket(path: string): InstructionDoor {
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  return {
    serve: async (handlers) => {
      rmSync(path, { force: true });
      const opened = createServer((socket) => receive(socket, sockets, handlers));
      server = opened;
      await new Promise<void>((resolve, reject) => {
        opened.once('error', reject);
        opened.listen(path, resolve);
      });
      chmodSync(path, MODE);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
      rmSync(path, { force: true });
    },
  };
}

function receive(socket: Socket, sockets: Set<Socket>, handlers: readonly InstructionHandler[]): void {
  // An error is followed by `close`, which is all that matters of a caller.
  socket.on('error', () => sockets.delete(socket));
  if (sockets.size >= CALLERS_MAX) {
    socket.destroy();
    return;
  }
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  socket.setEncoding('utf8');
  const pieces: string[] = [];
  let length = 0;
  const take = (piece: string): void => {
    const end = piece.indexOf('\n');
    length += piece.length;
    pieces.push(end < 0 ? piece : piece.slice(0, end));
    if (length > INSTRUCTION_LENGTH_MAX) socket.destroy();
    else if (end >= 0) {
      socket.off('data', take).setTimeout(0);
      // It never fails: whatever goes wrong is what it answers.
      void answerInstruction(pieces.join(''), handlers).then((answer) => socket.end(`${answer}\n`));
    }
  };
  socket.on('data', take);
}
