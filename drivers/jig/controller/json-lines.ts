/** JSON objects, one per line, over a stream of bytes; a line that is too long or no object ends the stream. */
import type { Socket } from 'node:net';

const LINE_BYTES_MAX = 65_536;

/** Calls `handler` with each object. A line that cannot be read destroys the socket with an error. */
export function readJsonLines(socket: Socket, handler: (value: object) => void): void {
  let held = '';
  socket.setEncoding('utf8');
  socket.on('data', (piece: string) => {
    const lines = (held + piece).split('\n');
    held = lines.pop() ?? '';
    if (held.length > LINE_BYTES_MAX) socket.destroy(new Error('a line is too long'));
    for (const line of lines) {
      const value = parse(line);
      if (value === null) socket.destroy(new Error('a line is not a JSON object'));
      else handler(value);
    }
  });
}

export function writeJsonLine(socket: Socket, value: object): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}

function parse(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' ? value : null;
  } catch {
    return null; // The caller ends the stream: nobody can tell what was meant.
  }
}
