/**
 * Asks the process that holds the chips to put one under the reader: JSON lines `{ id, verb: 'seat', index }`,
 * answered by `{ id, ok, eid }`. The connection is made when it is needed and again after it broke.
 */
import { createConnection, type Socket } from 'node:net';
import { readJsonLines, writeJsonLine } from './json-lines.ts';

const SEAT_DEADLINE_MS = 10_000;

export interface ChipSocket {
  /** Resolves with the EID once the chip answers under the reader. */
  seat(index: number): Promise<string>;
}

interface Waiting {
  readonly resolve: (eid: string) => void;
  readonly reject: (error: Error) => void;
}

export function openChipSocket(path: string): ChipSocket {
  const waiting = new Map<number, Waiting>();
  let socket: Socket | null = null;
  let lastId = 0;

  const connect = (): Socket => {
    const fresh = createConnection(path);
    readJsonLines(fresh, (value) => {
      const { id, ok, eid } = value as { id: number; ok: boolean; eid?: string };
      const asked = waiting.get(id);
      waiting.delete(id);
      if (ok) asked?.resolve(eid ?? '');
      else asked?.reject(new Error('the chip could not be seated'));
    });
    const gone = (error?: Error): void => {
      if (socket !== fresh) return;
      socket = null;
      for (const asked of waiting.values()) asked.reject(error ?? new Error('the chips have gone'));
      waiting.clear();
    };
    fresh.on('error', gone);
    fresh.on('close', () => gone());
    return fresh;
  };

  return {
    seat: (index) =>
      new Promise((resolve, reject) => {
        socket ??= connect();
        const id = ++lastId;
        const late = setTimeout(() => {
          waiting.delete(id);
          reject(new Error('the chips do not answer'));
        }, SEAT_DEADLINE_MS);
        const settle = <Value>(done: (value: Value) => void) => {
          return (value: Value): void => {
            clearTimeout(late);
            done(value);
          };
        };
        waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
        writeJsonLine(socket, { id, verb: 'seat', index });
      }),
  };
}
