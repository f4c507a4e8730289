/** What every journal driver promises; run on the one over LevelDB and on the simulated one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { chainHash, genesisHash } from '../../runtime/core/journal/entry.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import { collect, genesis, numberOf, sample, samples } from '../journal/samples.ts';

/** One journal's place, empty at first, with the keys and values that lie in it. */
export interface JournalRig extends AsyncDisposable {
  open(): Promise<Journal & AsyncDisposable>;
  /** Changes what is stored while no journal is open. `null` removes. */
  tamper(key: string, value: Uint8Array | null): Promise<void>;
  stored(key: string): Promise<Uint8Array>;
  /** Whether the disk is nearly full from then on. */
  fill(full: boolean): void;
}

export const key = (sequence: number): string => `j!${String(sequence).padStart(16, '0')}`;
const marker = (sequence: number): string => `o!${String(sequence).padStart(16, '0')}`;

export function journalContract(name: string, createRig: () => Promise<JournalRig>): void {
  describe(`the journal port: ${name}`, () => {
    const withEntries = async (count: number): Promise<JournalRig> => {
      const rig = await createRig();
      await using journal = await rig.open();
      await journal.append(samples(count));
      return rig;
    };

    it('numbers entries from 0 and chains each to the one before, beginning at the genesis', async () => {
      await using rig = await createRig();
      await using journal = await rig.open();
      assert.equal(journal.journalId, genesis.journal);
      const entries = [...(await journal.append(samples(2))), ...(await journal.append([sample(2)]))];
      assert.deepEqual(
        entries.map((entry) => entry.sequence),
        [0, 1, 2],
      );
      let hash = genesisHash(genesis, nodeCrypto.sha256);
      for (const entry of entries) {
        hash = chainHash(entry.text, entry.sequence, hash, nodeCrypto.sha256);
        assert.equal(entry.hash, hash);
      }
      assert.deepEqual(await collect(journal.read()), entries);
      assert.deepEqual(await collect(journal.read(2)), entries.slice(2));
      assert.deepEqual(await collect(journal.read(3)), []);
    });

    it('keeps the order of callers that do not wait for each other', async () => {
      await using rig = await createRig();
      await using journal = await rig.open();
      const calls = Array.from({ length: 700 }, (_, i) => journal.append([sample(i)]));
      const appended = (await Promise.all(calls)).flat();
      assert.deepEqual(appended.map(numberOf), samples(700).map(numberOf));
      assert.deepEqual(
        appended.map((entry) => entry.sequence),
        samples(700).map((_, i) => i),
      );
      assert.deepEqual(await collect(journal.read()), appended);
    });

    it('continues the chain after it was closed and opened', async () => {
      await using rig = await withEntries(3);
      await using journal = await rig.open();
      const [next] = await journal.append([sample(3)]);
      assert.equal(next?.sequence, 3);
      assert.deepEqual((await collect(journal.read())).map(numberOf), [0, 1, 2, 3]);
    });

    it('shows as unacknowledged what acknowledge has not covered, also after opening anew', async () => {
      await using rig = await withEntries(5);
      {
        await using journal = await rig.open();
        assert.deepEqual((await journal.unacknowledged(3)).map(numberOf), [0, 1, 2]);
        await journal.acknowledge(1);
        assert.deepEqual((await journal.unacknowledged(100)).map(numberOf), [2, 3, 4]);
        await journal.acknowledge(0);
        assert.deepEqual((await journal.unacknowledged(1)).map(numberOf), [2]);
      }
      await using journal = await rig.open();
      assert.deepEqual((await journal.unacknowledged(100)).map(numberOf), [2, 3, 4]);
      await journal.acknowledge(4);
      assert.deepEqual(await journal.unacknowledged(100), []);
      assert.equal((await collect(journal.read())).length, 5);
    });

    it('refuses to acknowledge what is not written', async () => {
      await using rig = await withEntries(1);
      await using journal = await rig.open();
      await assert.rejects(journal.acknowledge(1), RangeError);
      assert.deepEqual((await journal.unacknowledged(9)).map(numberOf), [0]);
    });

    it('refuses a call that exceeds a batch, and goes on', async () => {
      await using rig = await createRig();
      await using journal = await rig.open();
      await assert.rejects(journal.append(samples(257)), RangeError);
      const long = { ...sample(0), fact: { ...sample(0).fact, authority: 'x'.repeat(300_000) } };
      await assert.rejects(journal.append([long as never]), RangeError);
      assert.equal((await journal.append(samples(256))).length, 256);
    });

    it('refuses the 4097th caller that waits, and serves the others', async () => {
      await using rig = await createRig();
      await using journal = await rig.open();
      const calls = await Promise.allSettled(samples(4100).map((entry) => journal.append([entry])));
      assert.deepEqual(
        calls.flatMap((call) => (call.status === 'rejected' ? call.reason.code : [])),
        [...['UNEXPECTED', 'UNEXPECTED', 'UNEXPECTED', 'UNEXPECTED']],
      );
      assert.equal((await collect(journal.read())).length, 4096);
    });

    it('is open once at a time', async () => {
      await using rig = await createRig();
      const first = await rig.open();
      await assert.rejects(rig.open(), fault('JOURNAL_LOCKED'));
      await first[Symbol.asyncDispose]();
      await (await rig.open())[Symbol.asyncDispose]();
    });

    it('fails every call after it was closed', async () => {
      await using rig = await createRig();
      const journal = await rig.open();
      await journal[Symbol.asyncDispose]();
      await assert.rejects(journal.append([sample(0)]), fault('JOURNAL_POISONED'));
      await assert.rejects(journal.unacknowledged(1), fault('JOURNAL_POISONED'));
      await assert.rejects(collect(journal.read()), fault('JOURNAL_POISONED'));
    });

    it('has room for a unit until it is told otherwise, and never after it was closed', async () => {
      await using rig = await createRig();
      const journal = await rig.open();
      await journal.requireRoom();
      rig.fill(true);
      await assert.rejects(journal.requireRoom(), fault('JOURNAL_SPACE_LOW'));
      await journal.append([sample(0)]);
      rig.fill(false);
      await journal.requireRoom();
      await journal[Symbol.asyncDispose]();
      await assert.rejects(journal.requireRoom(), fault('JOURNAL_POISONED'));
    });

    it('does not open with an entry missing, at the place it names', async () => {
      await using rig = await withEntries(6);
      await rig.tamper(key(3), null);
      await assert.rejects(rig.open(), damagedAt(3));
    });

    it('does not open with an entry changed, even into a valid one', async () => {
      await using rig = await withEntries(6);
      const stored = Buffer.from(await rig.stored(key(4)));
      await rig.tamper(key(4), Buffer.from(stored.toString().replace('shift 4', 'shift 5')));
      await assert.rejects(rig.open(), damagedAt(4));
      await rig.tamper(key(4), Uint8Array.of(0xff, 0xfe));
      await assert.rejects(rig.open(), damagedAt(4));
    });

    it('does not open with two entries exchanged', async () => {
      await using rig = await withEntries(4);
      const [one, two] = [await rig.stored(key(1)), await rig.stored(key(2))];
      await rig.tamper(key(1), two);
      await rig.tamper(key(2), one);
      await assert.rejects(rig.open(), damagedAt(1));
    });

    it('does not open when its end is gone but has left its outbox marker, or was acknowledged', async () => {
      await using marked = await withEntries(4);
      await marked.tamper(key(3), null);
      await assert.rejects(marked.open(), damagedAt(3));
      await using rig = await withEntries(3);
      await using journal = await rig.open();
      await journal.acknowledge(2);
      await journal[Symbol.asyncDispose]();
      await rig.tamper(key(2), null);
      await assert.rejects(rig.open(), damagedAt(2));
    });

    it('does not open with an outbox marker missing', async () => {
      await using rig = await withEntries(4);
      await rig.tamper(marker(1), null);
      await assert.rejects(rig.open(), damagedAt(1));
    });
  });
}

export function fault(code: string): (error: unknown) => boolean {
  return (error) => isFault(error) && error.code === code;
}

export function damagedAt(sequence: number): (error: unknown) => boolean {
  return (error) => isFault(error) && error.code === 'JOURNAL_DAMAGED' && error.context.sequence === sequence;
}
