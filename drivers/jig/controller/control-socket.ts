/**
 * How a script or a person steers the simulated line: JSON lines `{ id, verb, ... }` over a Unix socket, each
 * answered by `{ id, ok, ... }`. After `subscribe` every line of the gate log comes as `{ gate: line }`.
 */
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { GateLogLine } from './fixture.ts';
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import type { Stuck } from './line.ts';
import type { Misbehaviour } from './mischief.ts';

export type ControlRequest =
  | { readonly verb: 'feed'; readonly count: number; readonly firstIndex: number }
  | { readonly verb: 'stop' | 'status' | 'take-by-hand' }
  | { readonly verb: 'put-by-hand'; readonly index: number }
  | { readonly verb: 'stick'; readonly what: Stuck; readonly stuck: boolean }
  | { readonly verb: 'misbehave'; readonly misbehaviour: Misbehaviour };

type Envelope = { readonly id: number } & (ControlRequest | { readonly verb: 'subscribe' });

const SUBSCRIBERS_MAX = 16;

export interface ControlServer {
  publish(line: GateLogLine): void;
}

export async function serveControl(
  path: string,
  perform: (request: ControlRequest) => Promise<object>,
): Promise<ControlServer> {
  const subscribers = new Set<Socket>();
  const answer = async (socket: Socket, request: Envelope): Promise<void> => {
    try {
      if (request.verb === 'subscribe') {
        if (subscribers.size >= SUBSCRIBERS_MAX) throw new RangeError('too many subscribers');
        subscribers.add(socket);
        writeJsonLine(socket, { id: request.id, ok: true });
      } else writeJsonLine(socket, { id: request.id, ok: true, ...(await perform(request)) });
    } catch (error) {
      writeJsonLine(socket, { id: request.id, ok: false, error: String(error) });
    }
  };
  const server = createServer((socket) => {
    socket.on('close', () => subscribers.delete(socket));
    // An error is followed by `close`, which is all that matters of a client.
    socket.on('error', () => subscribers.delete(socket));
    readJsonLines(socket, (value) => void answer(socket, value as Envelope));
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    publish: (line) => {
      for (const socket of subscribers) writeJsonLine(socket, { gate: line });
    },
  };
}
