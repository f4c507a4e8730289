/** Facts and a genesis to fill journals with, and ways to damage what is on the disk. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Genesis, NewEntry } from '../../runtime/core/journal/entry.ts';

export const genesis: Genesis = {
  journal: 'journal-of-station-1',
  station: 'station-1',
  created: '2026-11-02T08:00:00Z',
};

/** An entry that tells its number. */
export function sample(number: number): NewEntry {
  return {
    at: 1_790_000_000_000 + number,
    fact: { name: 'started', nest: null, version: '0.1.0', authority: `shift ${number}: Zoë` },
  };
}

export function samples(count: number, from = 0): NewEntry[] {
  return Array.from({ length: count }, (_, i) => sample(from + i));
}

/** The number a sample tells. */
export function numberOf(entry: NewEntry): number {
  return entry.at - 1_790_000_000_000;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The announcement of something that cannot be undone. */
export const intent: NewEntry = {
  at: sample(0).at,
  fact: { name: 'intent', nest: '1', visit: 'visit-1', step: 'put-key', listHash: 'f00d' },
};

/** LevelDB's log: where everything lies that is younger than the last opening. */
export function logOf(directory: string): string {
  const store = join(directory, 'store');
  return join(store, readdirSync(store).find((name) => name.endsWith('.log')) ?? 'no log');
}

/** Changes one bit in the first byte of `text`, as failing flash would. */
export function flip(file: string, text: string): void {
  const bytes = readFileSync(file);
  const at = bytes.indexOf(text);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x20, at);
  writeFileSync(file, bytes);
}
