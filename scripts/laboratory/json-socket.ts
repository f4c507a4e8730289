/** A client of the JSON-line sockets of board and chips: one answer for each request, by its number. */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const DEADLINE_MS = 10_000;

export interface JsonSocket {
  ask(request: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  /** Lines that answer nothing. */
  onLine(handler: (line: Readonly<Record<string, unknown>>) => void): void;
  close(): void;
}

interface Waiting {
  readonly resolve: (answer: Readonly<Record<string, unknown>>) => void;
  readonly reject: (error: Error) => void;
}

export async function openJsonSocket(path: string): Promise<JsonSocket> {
  const socket = await connected(path);
  const waiting = new Map<number, Waiting>();
  const handlers: ((line: Readonly<Record<string, unknown>>) => void)[] = [];
  let next = 1;
  createInterface({ input: socket }).on('line', (text) => {
    const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const asked = typeof line.id === 'number' ? waiting.get(line.id) : undefined;
    if (asked === undefined) for (const handler of handlers) handler(line);
    else if (line.ok === true) asked.resolve(line);
    else asked.reject(new Error(`${path}: ${String(line.error)}`));
  });
  socket.on('close', () => {
    for (const asked of waiting.values()) asked.reject(new Error(`${path} closed`));
  });
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        const id = next++;
        const timer = setTimeout(
          () => reject(new Error(`${path}: no answer to ${String(request.verb)}`)),
          DEADLINE_MS,
        );
        const settle =
          <T>(then: (value: T) => void) =>
          (value: T): void => {
            clearTimeout(timer);
            waiting.delete(id);
            then(value);
          };
        waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
        socket.write(`${JSON.stringify({ id, ...request })}\n`);
      }),
    onLine: (handler) => handlers.push(handler),
    close: () => socket.destroy(),
  };
}

/** The far process may still be about to listen. */
async function connected(path: string): Promise<Socket> {
  const until = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const socket = connect(path);
        socket.once('connect', () => resolve(socket));
        socket.once('error', reject);
      });
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
