/** What a gateway remembers of its ledger, and what it makes of a ledger that is older than that. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { createInMemoryLedgerDatabase } from '../../drivers/store/in-memory-ledger.ts';
import { createInMemoryMark } from '../../drivers/store/in-memory-mark.ts';
import { openMarkFile } from '../../drivers/store/mark-file.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { MarkMemory } from '../../runtime/core/store/mark.ts';
import { wholeLedger } from '../../runtime/gateway/whole-ledger.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-mark-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const fault = (code: string) => (error: unknown) => isFault(error) && error.code === code;
const drivers: Readonly<Record<string, () => () => Promise<MarkMemory>>> = {
  'in a file': () => () => openMarkFile(join(directory, 'mark')),
  simulated: () => {
    const memory = createInMemoryMark();
    return async () => memory;
  },
};

for (const [name, make] of Object.entries(drivers))
  describe(`the told mark, ${name}`, () => {
    it('is 0 before the first, grows, never shrinks, and is there after a restart', async () => {
      const open = make();
      const first = await open();
      assert.equal(first.told, 0);
      await first.remember(3);
      await first.remember(2);
      assert.equal((await open()).told, 3);
    });
  });

describe('the file of the told mark', () => {
  it('is not taken for a gateway that has done nothing when it holds something else', async () => {
    const path = join(directory, 'another');
    writeFileSync(path, '{"mark":');
    await assert.rejects(openMarkFile(path), fault('FILE_UNREADABLE'));
  });
});

describe('a gateway whose ledger is restored from a backup', () => {
  const rig = () => {
    const clock = createSimulatedClock(0);
    const database = createInMemoryLedgerDatabase({ clock });
    const settled = async <T>(work: Promise<T>): Promise<T> => {
      work.catch(() => undefined); // Awaited below, when time has passed.
      while (await clock.runNext());
      return work;
    };
    const gateway = (marks: MarkMemory) => wholeLedger(database.connect(), marks);
    return { database, settled, gateway };
  };
  const keep = (ledger: ReturnType<typeof wholeLedger>, number: number) =>
    ledger.keepStationList(number, `list ${number}`);

  it('writes nothing that follows from it, however often it is asked, until the newest state is back', async () => {
    const { database, settled, gateway } = rig();
    const ledger = gateway(createInMemoryMark());
    await settled(keep(ledger, 1));
    const restore = database.backup();
    await settled(keep(ledger, 2));
    const newest = database.backup();
    restore();
    for (let i = 0; i < 3; i++) {
      await assert.rejects(settled(ledger.beginCrl('line', [])), fault('LEDGER_ROLLED_BACK'));
      assert.equal(database.tables.crlNumbers.all().length, 0, 'no number of a list is given');
    }
    newest();
    assert.equal((await settled(ledger.beginCrl('line', []))).number, 1);
    assert.equal(await settled(ledger.stationList(0)), 'list 2');
  });

  it('goes on from a backup that lacks nothing it had told', async () => {
    const { database, settled, gateway } = rig();
    const ledger = gateway(createInMemoryMark());
    await settled(keep(ledger, 1));
    database.backup()();
    assert.equal(await settled(keep(ledger, 2)), 'list 2');
  });

  it('is not disturbed by what another gateway of the HSM does, nor by its own start', async () => {
    const { settled, gateway } = rig();
    const own = createInMemoryMark();
    await settled(keep(gateway(own), 1));
    await settled(keep(gateway(createInMemoryMark()), 2));
    assert.equal(await settled(keep(gateway(own), 3)), 'list 3');
  });
});
