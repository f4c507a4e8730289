/** Stations that keep little of their journals: what goes is with the backend, and nobody misses it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { type JournalDisk, openInMemoryJournal } from '../../drivers/journal/in-memory.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import { requireInJournal } from '../../runtime/station/agreement.ts';
import { LogMemory } from '../../runtime/station/log-memory.ts';
import { Past } from '../../runtime/station/past.ts';
import { createWorld } from '../../scripts/simulation/world.ts';

const UNITS = 7;
const KEPT = 30;
const DAY_MS = 86_400_000;
const { sha256 } = nodeCrypto;

/** A line after its day, and the journal as the station's next start finds it. */
async function aDay(keepEntries: number) {
  const world = await createWorld({ seed: 'retention', units: UNITS, stations: 1, cheap: true, keepEntries });
  await world.run(DAY_MS);
  const station = world.stations[0] ?? assert.fail();
  const journal = await opened(station.disk);
  const past = new Past(1);
  for await (const entry of journal.read()) past.take(entry);
  return { world, station, journal, past };
}

const days = new Map<number, ReturnType<typeof aDay>>();

function afterADay(keepEntries: number): ReturnType<typeof aDay> {
  const day = days.get(keepEntries) ?? aDay(keepEntries);
  days.set(keepEntries, day);
  return day;
}

function opened(disk: JournalDisk): Promise<Journal> {
  disk.holder = 0;
  return openInMemoryJournal({ disk, clock: createSimulatedClock(0), sha256, syncMs: 0 });
}

describe('a station that keeps little of its journal', () => {
  it('gives up only what the backend has, which has it all', async () => {
    const { world, station, journal } = await afterADay(KEPT);
    const { cut } = journal;
    assert.ok(cut !== null && cut.sequence > 40, `cut at ${cut?.sequence}`);
    const present = [...station.disk.durable.keys()].filter((key) => key.startsWith('j!')).length;
    assert.ok(present <= 2 * KEPT, `${present} entries are kept`);
    const known = world.fleet.tables.events.group(`${station.name}\u0000${journal.journalId}`);
    assert.deepEqual(
      known.slice(0, cut.sequence + 1).map(({ sequence }) => sequence),
      Array.from({ length: cut.sequence + 1 }, (_, i) => i),
    );
    assert.equal(known.find(({ sequence }) => sequence === cut.sequence)?.hash, cut.hash);
    await requireInJournal(journal, known.at(-1) ?? assert.fail());
  });

  it('counts after its next start as one that keeps everything', async () => {
    const little = await afterADay(KEPT);
    const all = await afterADay(100_000);
    assert.equal(all.journal.cut, null);
    const counters = little.past.countersUpTo(little.journal.cut);
    assert.deepEqual([...counters], [...all.past.countersUpTo(null)]);
    assert.equal(counters.get('a')?.consumed, UNITS);
  });

  it('remembers what it knew of the fleet’s log, though every receipt goes', async () => {
    const { past, journal, world } = await afterADay(KEPT);
    const kept = past.cutAt(journal.cut) ?? assert.fail();
    const { parties } = world;
    const memory = new LogMemory({ trusted: [], logKey: parties.logSigner.key, crypto: nodeCrypto });
    memory.learn(kept);
    assert.ok((memory.known?.size ?? 0) > 40, `a log of ${memory.known?.size} leaves is remembered`);
  });

  it('waits for a backend that lost what it had acknowledged, and does not call its own journal wrong', async () => {
    const { journal } = await afterADay(KEPT);
    const { sequence, hash } = journal.cut ?? assert.fail();
    await requireInJournal(journal, { sequence, hash });
    await assert.rejects(requireInJournal(journal, { sequence: sequence - 1, hash }), /JOURNAL_AHEAD/);
    await assert.rejects(requireInJournal(journal, null), /JOURNAL_AHEAD/);
    await assert.rejects(requireInJournal(journal, { sequence, hash: 'f00d' }), /JOURNAL_ROLLED_BACK/);
  });
});
