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
  const [appends, bare]: [number[], number[]] = [[], []];
  for (let i = 0; i < ROUNDS; i++) {
    const entry: NewEntry = {
      at: i,
      fact: { name: 'intent', nest: 'a', visit: randomUUID(), step: 'put-key', listHash: 'ab'.repeat(32) },
    };
    appends.push(
      await timed(async () => {
        await journal.append([entry]);
      }),
    );
    const bytes = Buffer.alloc(350, i);
    bare.push(
      await timed(async () => {
        writeSync(file, bytes);
        fdatasyncSync(file);
      }),
    );
  }
  closeSync(file);
  const [a, b] = [median(appends), median(bare)];
  return [
    {
      what: 'journal append, synced, p50',
      value: a,
      unit: 'ms',
      beside: { what: 'write + fdatasync', value: b, ratio: a / b },
    },
  ];
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
