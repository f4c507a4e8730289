/** What the command line says of a journal whose beginning was given up: of a dead station, and of one that runs. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openJournalCopy } from '../../drivers/journal/copy.ts';
import { provisionJournal } from '../../drivers/journal/leveldb.ts';
import { liveEntries, type Wire } from '../../runtime/cli/journal/live.ts';
import { verifyJournal } from '../../runtime/cli/journal/verify.ts';
import { NestFold } from '../../runtime/cli/status/nest-state.ts';
import { genesisHash, type JournalEntry } from '../../runtime/core/journal/entry.ts';
import { cutInTwo } from '../contracts/journal-cut.contract.ts';
import { placeAt } from '../journal/place.ts';
import { collect, genesis, sample } from '../journal/samples.ts';

const { sha256 } = nodeCrypto;

async function cutPlace() {
  const place = placeAt(mkdtempSync(join(tmpdir(), 'journal-cut-')));
  await provisionJournal(place.directory, genesis);
  await using journal = await place.open();
  await cutInTwo(journal);
  return place;
}

/** What a running station's socket would say. */
function wire(cut: { sequence: number; hash: string } | null, entries: readonly JournalEntry[]): Wire {
  const lines = [{ genesis, cut }, ...entries.map((entry) => ({ entry })), { end: true }];
  return {
    send: () => undefined,
    close: () => undefined,
    lines: (async function* () {
      for (const line of lines) yield JSON.stringify(line);
    })(),
  };
}

describe('a journal whose beginning was given up', () => {
  it('is verified from there on, and says so', async () => {
    using place = await cutPlace();
    const printed: string[] = [];
    const means = {
      print: (line: string) => printed.push(line),
      openJournal: async () => {
        const copy = await openJournalCopy(place.directory, { sha256 });
        return { ...copy, running: false, entries: copy.entries };
      },
    };
    assert.equal(await verifyJournal(place.directory, false, means as never), 0);
    assert.match(
      printed[0] ?? '',
      /^station-1: 5 entries verified, from 4 on: those before were given up once the/,
    );
    assert.equal(await verifyJournal(place.directory, true, means as never), 0);
    assert.equal(JSON.parse(printed[1] ?? '').first, 4);
  });

  it('is read from a running station as from a dead one, and believed only where its own entry says so', async () => {
    using place = await cutPlace();
    await using journal = await place.open();
    const entries = await collect(journal.read());
    const start = { next: 0, hash: genesisHash(genesis, sha256) };
    const read = (from: Wire) => collect(liveEntries(from, genesis, start, sha256));
    assert.equal((await read(wire(journal.cut, entries))).length, 5);
    await assert.rejects(read(wire(null, entries)), /JOURNAL_DAMAGED/);
    await assert.rejects(read(wire(journal.cut, entries.slice(0, 4))), /JOURNAL_DAMAGED/);
  });

  it('counts in its status what went as well', () => {
    const fold = new NestFold('a');
    fold.take({ at: 1, fact: { ...sample(0).fact, name: 'arrived', nest: 'a', visit: 'v' } as never });
    fold.add({ consumed: 5, processed: 4, defective: 1, interrupted: 0, holds: 2, resumed: 2 });
    assert.equal(fold.view().counters.consumed, 6);
    assert.equal(fold.view().counters.processed, 4);
  });
});
