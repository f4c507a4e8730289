/** What every journal driver promises of entries that are given up; run beside `journal.contract.ts`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NewEntry } from '../../runtime/core/journal/entry.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import { collect, intent, numberOf, sample, samples } from '../journal/samples.ts';
import { damagedAt, fault, type JournalRig, key } from './journal.contract.ts';

/** Announces that everything up to `sequence` goes. */
export async function announced(journal: Journal, sequence: number): Promise<number> {
  const [upTo] = await collect(journal.read(sequence));
  const [cut] = await journal.append([cutEntry(sequence, upTo?.hash ?? assert.fail())]);
  return cut?.sequence ?? assert.fail();
}

export function cutEntry(sequence: number, hash: string): NewEntry {
  const fact = { name: 'cut', nest: null, upTo: { sequence, hash }, counters: {}, checkpoint: null } as const;
  return { at: sample(0).at, fact };
}

const cutOf = ({ cut }: Journal): number | null => cut?.sequence ?? null;

/** Eight entries of which the first four were given up, in a journal that is open. */
export async function cutInTwo(journal: Journal): Promise<void> {
  await journal.append(samples(4));
  await journal.append([intent]);
  await journal.append(samples(3, 5));
  const cut = await announced(journal, 3);
  await journal.acknowledge(cut);
  await journal.giveUp(cut);
}

export function journalCutContract(name: string, createRig: () => Promise<JournalRig>): void {
  describe(`what a journal gives up: ${name}`, () => {
    const cut = async (): Promise<JournalRig> => {
      const rig = await createRig();
      await using journal = await rig.open();
      await cutInTwo(journal);
      return rig;
    };

    it('is gone at once and for ever, and the chain goes on from there', async () => {
      await using rig = await createRig();
      {
        await using journal = await rig.open();
        assert.equal(cutOf(journal), null);
        await cutInTwo(journal);
        assert.equal(cutOf(journal), 3);
        assert.deepEqual(
          (await collect(journal.read())).map(({ sequence }) => sequence),
          [4, 5, 6, 7, 8],
        );
        assert.deepEqual(
          (await collect(journal.read(2))).map(({ sequence }) => sequence),
          [4, 5, 6, 7, 8],
        );
        assert.deepEqual((await collect(journal.read(6))).map(numberOf), [6, 7, 0]);
      }
      await using journal = await rig.open();
      assert.equal(cutOf(journal), 3);
      const [next] = await journal.append([sample(9)]);
      assert.equal(next?.sequence, 9);
      assert.deepEqual((await journal.unacknowledged(9)).map(numberOf), [9]);
      const again = await announced(journal, 8);
      await journal.acknowledge(again);
      await journal.giveUp(again);
      assert.deepEqual(
        (await collect(journal.read())).map(({ sequence }) => sequence),
        [9, 10],
      );
    });

    it('is nothing that the backend has not acknowledged, and nothing that no entry announces', async () => {
      await using rig = await createRig();
      await using journal = await rig.open();
      await journal.append(samples(5));
      await journal.acknowledge(4);
      await assert.rejects(journal.giveUp(4), RangeError);
      const cut = await announced(journal, 2);
      await assert.rejects(journal.giveUp(cut), RangeError);
      await journal.append([cutEntry(1, 'f00d')]);
      await journal.acknowledge(6);
      await assert.rejects(journal.giveUp(6), RangeError);
      assert.equal((await collect(journal.read())).length, 7);
      await journal.giveUp(cut);
      await journal.giveUp(cut);
      assert.equal((await collect(journal.read())).length, 4);
    });

    it('does not vanish from under somebody who reads', async () => {
      await using rig = await createRig();
      await using journal = await rig.open();
      await journal.append(samples(5));
      const cut = await announced(journal, 3);
      await journal.acknowledge(cut);
      const reading = journal.read()[Symbol.asyncIterator]();
      const late = journal.read(2)[Symbol.asyncIterator]();
      assert.equal((await reading.next()).value.sequence, 0);
      await journal.giveUp(cut);
      const rest = await collect({ [Symbol.asyncIterator]: () => reading });
      assert.deepEqual(
        rest.map(({ sequence }) => sequence),
        [1, 2, 3, 4, 5],
      );
      assert.equal((await late.next()).value.sequence, 4);
      await journal.append([sample(6)]);
    });

    it('is missed where nothing says that it was given up, or where that is not in the chain', async () => {
      await using first = await cut();
      const said = await first.stored('cut');
      await first.tamper('cut', null);
      await assert.rejects(first.open(), damagedAt(0));
      await first.tamper('cut', Buffer.from(said.toString().replace('"by":8', '"by":7')));
      await assert.rejects(first.open(), fault('JOURNAL_DAMAGED'));
      await first.tamper('cut', said);
      await using journal = await first.open();
      assert.equal((await collect(journal.read())).length, 5);
    });

    it('never covers up that more is missing: the next entry, or the acknowledgement', async () => {
      await using rig = await cut();
      const fourth = await rig.stored(key(4));
      await rig.tamper(key(4), null);
      await assert.rejects(rig.open(), damagedAt(4));
      const forged = JSON.stringify({ by: 8, hash: fourth.toString().slice(-64), sequence: 4 });
      await rig.tamper('cut', Buffer.from(forged));
      await assert.rejects(rig.open(), damagedAt(4));
      await using other = await cut();
      const anchor = await other.stored('anchor');
      const hash = (await other.stored(key(7))).toString().slice(-64);
      await other.tamper('anchor', Buffer.from(JSON.stringify({ hash, sequence: 7 })));
      await other.tamper('o!0000000000000008', new Uint8Array(0));
      await assert.rejects(other.open(), damagedAt(3));
      await other.tamper('anchor', anchor);
    });
  });
}
