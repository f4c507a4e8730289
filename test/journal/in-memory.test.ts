import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createJournalDisk, openInMemoryJournal } from '../../drivers/journal/in-memory.ts';
import { fault, journalContract } from '../contracts/journal.contract.ts';
import { journalCutContract } from '../contracts/journal-cut.contract.ts';
import { collect, genesis, numberOf, sample, samples } from './samples.ts';

const { sha256 } = nodeCrypto;

const inMemory = async () => {
  const disk = createJournalDisk(genesis);
  let full = false;
  return {
    open: () =>
      openInMemoryJournal({ disk, clock: openSystemClock(), sha256, syncMs: 0, hasRoom: () => !full }),
    fill: (now: boolean) => {
      full = now;
    },
    tamper: async (key: string, value: Uint8Array | null) => {
      if (value === null) disk.durable.delete(key);
      else disk.durable.set(key, value);
    },
    stored: async (key: string) => disk.durable.get(key) ?? new Uint8Array(0),
    [Symbol.asyncDispose]: async () => disk.durable.clear(),
  };
};
journalContract('in memory', inMemory);
journalCutContract('in memory', inMemory);

/** Runs simulated time to its end and returns what became of the promise by then. */
async function settled(clock: ReturnType<typeof createSimulatedClock>, promise: Promise<unknown>) {
  let outcome = 'pending';
  promise.then(
    () => {
      outcome = 'resolved';
    },
    () => {
      outcome = 'rejected';
    },
  );
  while (await clock.runNext());
  return outcome;
}

describe('the simulated journal', () => {
  const setUp = () => ({
    disk: createJournalDisk(genesis),
    clock: createSimulatedClock(0),
    sha256,
    syncMs: 4,
  });

  it('forgets at a crash what was not synced, and keeps what was', async () => {
    const world = setUp();
    const journal = await openInMemoryJournal(world);
    assert.equal(await settled(world.clock, journal.append([sample(0)])), 'resolved');
    const lost = journal.append([sample(1)]);
    await world.clock.runNext(world.clock.monotonicMs());
    journal.crash();
    assert.equal(await settled(world.clock, lost), 'pending');
    assert.equal(await settled(world.clock, journal.append([sample(2)])), 'pending');
    await using again = await openInMemoryJournal(world);
    assert.deepEqual((await collect(again.read())).map(numberOf), [0]);
  });

  it('may keep at a crash what nobody was told of', async () => {
    const world = setUp();
    const journal = await openInMemoryJournal(world);
    const unknown = journal.append(samples(2));
    await world.clock.runNext(world.clock.monotonicMs());
    journal.crash({ kept: true });
    assert.equal(await settled(world.clock, unknown), 'pending');
    await using again = await openInMemoryJournal(world);
    assert.deepEqual((await collect(again.read())).map(numberOf), [0, 1]);
  });

  for (const stored of [true, false])
    it(`fails everything after the nth write failed, ${stored ? 'stored all the same' : 'and was lost'}`, async () => {
      const world = setUp();
      const journal = await openInMemoryJournal({ ...world, failWrite: { nth: 2, stored } });
      assert.equal(await settled(world.clock, journal.append([sample(0)])), 'resolved');
      const failing = journal.append([sample(1)]);
      const outcome = assert.rejects(failing, fault('JOURNAL_POISONED'));
      while (await world.clock.runNext());
      await outcome;
      await assert.rejects(journal.append([sample(2)]), fault('JOURNAL_POISONED'));
      await assert.rejects(journal.acknowledge(0), fault('JOURNAL_POISONED'));
      await assert.rejects(journal.unacknowledged(1), fault('JOURNAL_POISONED'));
      await assert.rejects(collect(journal.read()), fault('JOURNAL_POISONED'));
      await journal[Symbol.asyncDispose]();
      await using again = await openInMemoryJournal(world);
      assert.deepEqual((await collect(again.read())).map(numberOf), stored ? [0, 1] : [0]);
    });

  it('writes one batch at a time, and takes what waits together', async () => {
    const world = setUp();
    await using journal = await openInMemoryJournal(world);
    const calls = samples(600).map((entry) => journal.append([entry]));
    assert.equal(await settled(world.clock, Promise.all(calls)), 'resolved');
    assert.equal(world.clock.monotonicMs(), 3 * 4, '600 entries are three batches of at most 256');
  });

  it('poisons the handle when an entry is damaged while it is open', async () => {
    const world = setUp();
    const journal = await openInMemoryJournal(world);
    assert.equal(await settled(world.clock, journal.append(samples(3))), 'resolved');
    world.disk.durable.set('j!0000000000000001', Uint8Array.of(1));
    await assert.rejects(collect(journal.read()), fault('JOURNAL_DAMAGED'));
    await assert.rejects(journal.append([sample(3)]), fault('JOURNAL_POISONED'));
  });
});
