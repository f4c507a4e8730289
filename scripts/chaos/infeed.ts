/**
 * Brings units to the nest and follows the gate log of the board, the only witness of what left. A board that
 * lost its power finds the unit in the nest that was there: things do not go away with a process.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { GateLine } from '../laboratory/fixture-world.ts';
import type { JsonSocket } from '../laboratory/json-socket.ts';

export interface Present {
  readonly unit: number;
  readonly arrival: number;
}

export interface Infeed {
  /** Every line of the gate log so far. */
  lines(): readonly GateLine[];
  present(): Present | null;
  /** Units that were given to the line, from 1. */
  fed(): number;
  arrived(): number;
  left(): number;
  /** Sends more units; all former ones must have arrived. */
  feed(count: number): Promise<void>;
  /** Feeds again what could not be seated. */
  tend(): Promise<void>;
  /** A board is at work, perhaps another one than before. */
  attach(board: JsonSocket): Promise<void>;
}

/** @param files gate log and memory of the board */
export function createInfeed(files: { readonly gateLog: string; readonly memory: string }): Infeed {
  const lines: GateLine[] = [];
  let bytes = 0;
  let fed = 0;
  let board: JsonSocket | null = null;
  let failuresSeen = 0;

  const read = (): readonly GateLine[] => {
    if (!existsSync(files.gateLog)) return lines;
    const fresh = readFileSync(files.gateLog).subarray(bytes);
    const end = fresh.lastIndexOf(0x0a) + 1;
    for (const text of fresh.subarray(0, end).toString('utf8').split('\n'))
      if (text !== '') lines.push(JSON.parse(text) as GateLine);
    bytes += end;
    return lines;
  };
  const units = (event: GateLine['event']): number =>
    new Set(read().flatMap((line) => (line.event === event && line.unit !== null ? [line.unit] : []))).size;
  const present = (): Present | null => {
    const last = read().findLast((line) => line.event === 'ARRIVED' || line.event === 'LEFT');
    return last?.event === 'ARRIVED' && last.unit !== null
      ? { unit: last.unit, arrival: last.arrival }
      : null;
  };
  const feedRest = async (): Promise<void> => {
    const next = units('ARRIVED') + 1;
    if (fed >= next) await board?.ask({ verb: 'feed', count: fed - next + 1, firstIndex: next });
  };
  return {
    lines: read,
    present,
    fed: () => fed,
    arrived: () => units('ARRIVED'),
    left: () => units('LEFT'),
    feed: async (count) => {
      if (units('ARRIVED') < fed) throw new RangeError('units are still on their way');
      fed += count;
      await feedRest();
    },
    tend: async () => {
      const failures = read().filter((line) => line.event === 'SEAT-FAILED').length;
      if (failures === failuresSeen) return;
      failuresSeen = failures;
      await feedRest();
    },
    attach: async (fresh) => {
      const there = present();
      board = fresh;
      const departure = there === null ? null : unseenDeparture(files.memory, there);
      if (departure !== null) lines.push(departure);
      else if (there !== null) await fresh.ask({ verb: 'put-by-hand', index: there.unit });
      await feedRest();
    },
  };
}

/** The departure that the board had made durable when it died before it wrote its log; null for none. */
function unseenDeparture(memory: string, { unit, arrival }: Present): GateLine | null {
  if (!existsSync(memory)) return null;
  const { left } = JSON.parse(readFileSync(memory, 'utf8')) as {
    left: { arrival: number; counter: number; lane: 'good' | 'reject' };
  };
  if (left.arrival !== arrival) return null;
  return { at: Date.now(), event: 'LEFT', unit, ...left, reason: 'none', motionMs: 0 };
}
