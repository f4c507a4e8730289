/** A synced journal append against a bare write and fdatasync of the same bytes, interleaved. */
import { randomUUID } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import type { NewEntry } from '../../runtime/core/journal/entry.ts';
import type { BenchRow } from '../bench.ts';
import { median } from './median.ts';

const ROUNDS = 400;

export async function benchJournal(directory: string): Promise<readonly BenchRow[]> {
  const place = join(directory, 'journal');
  await provisionJournal(place, {
    journal: randomUUID(),
    station: 'bench',
    created: new Date().toISOString(),
  });
  await using journal = await openLeveldbJournal({
    directory: place,
    sha256: nodeCrypto.sha256,
    laboratoryFileSystem: true,
    onWarning: () => undefined,
  });
  const file = openSync(join(directory, 'bare'), 'a');
  const visit = { nest: 'a', visit: randomUUID() };
  const ordinary: NewEntry = { at: 0, fact: { ...visit, name: 'reserved', receipt: 'x'.repeat(200) } };
  const intent: NewEntry = {
    at: 0,
    fact: { ...visit, name: 'intent', step: 'put-key', listHash: 'ab'.repeat(32) },
  };
  const bytes = Buffer.alloc(350, 1);
  const bare = async (): Promise<void> => {
    writeSync(file, bytes);
    fdatasyncSync(file);
  };
  const times: Record<'ordinary' | 'intent' | 'once' | 'twice', number[]> = {
    ordinary: [],
    intent: [],
    once: [],
    twice: [],
  };
  for (let i = 0; i < ROUNDS; i++) {
    times.ordinary.push(await timed(() => journal.append([ordinary])));
    times.once.push(await timed(bare));
    times.intent.push(await timed(() => journal.append([intent])));
    times.twice.push(await timed(() => bare().then(bare)));
  }
  closeSync(file);
  const beside = (what: string, own: number[], other: number[]): NonNullable<BenchRow['beside']> => ({
    what,
    value: median(other),
    ratio: median(own) / median(other),
  });
  return [
    {
      what: 'journal append, synced, p50',
      value: median(times.ordinary),
      unit: 'ms',
      beside: beside('write + fdatasync', times.ordinary, times.once),
    },
    {
      what: 'the same with its witness (intents), p50',
      value: median(times.intent),
      unit: 'ms',
      beside: beside('twice that', times.intent, times.twice),
    },
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
