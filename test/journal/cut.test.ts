/** Giving up entries on a disk: what LevelDB and the witness make of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { provisionJournal } from '../../drivers/journal/leveldb.ts';
import { announced } from '../contracts/journal-cut.contract.ts';
import { cloneJournal, placeAt } from './place.ts';
import { collect, genesis, intent, sample, samples } from './samples.ts';

async function provisioned() {
  const top = mkdtempSync(join(tmpdir(), 'journal-cut-'));
  const directory = join(top, 'journal');
  await provisionJournal(directory, genesis);
  return { ...placeAt(directory, top), killed: placeAt(join(top, 'killed')) };
}

const sizeOf = (store: string): number =>
  readdirSync(store).reduce((sum, name) => sum + statSync(join(store, name)).size, 0);

describe('giving up entries on a disk', () => {
  it('takes the last intent along, which the witness remembered, and opens after a kill all the same', async () => {
    using place = await provisioned();
    await using journal = await place.open();
    await journal.append([...samples(3), intent]);
    await journal.append([sample(4)]);
    const cut = await announced(journal, 4);
    await journal.acknowledge(cut);
    await journal.giveUp(cut);
    cloneJournal(place.directory, place.killed.directory);
    await using again = await place.killed.open();
    assert.deepEqual(
      (await collect(again.read())).map(({ sequence }) => sequence),
      [5],
    );
  });

  it('gives back their room', async () => {
    using place = await provisioned();
    const store = join(place.directory, 'store');
    await using journal = await place.open();
    for (let i = 0; i < 16; i++) await journal.append(samples(128, i * 128));
    const before = sizeOf(store);
    const cut = await announced(journal, 2_040);
    await journal.acknowledge(cut);
    await journal.giveUp(cut);
    assert.ok(sizeOf(store) < before * 0.75, `${sizeOf(store)} of ${before} bytes are left`);
  });
});
