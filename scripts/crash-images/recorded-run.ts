/**
 * One life of a process with a journal, to be recorded: `recorded-run.js <directory> <life> <entries> <bytes>`. Says on
 * standard output what it was told is durable, each time after it was told so.
 */
import { writeSync } from 'node:fs';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { JournalEntry, NewEntry } from '../../runtime/core/journal/entry.ts';
import type { Journal } from '../../runtime/core/ports.ts';

const [directory = '', life = 'first', entries = '3', paddingBytes = '0'] = process.argv.slice(2);

const say = (line: string): number => writeSync(1, `${line}\n`);
const visit = { nest: 'a', visit: 'visit-1' };
const padding = 'x'.repeat(Number(paddingBytes));

/** Every fourth is an intent, which the witness remembers. */
function entryOf(number: number): NewEntry {
  return number % 4 === 3
    ? { at: number, fact: { ...visit, name: 'intent', step: 'put-key', listHash: 'f00d' } }
    : { at: number, fact: { ...visit, name: 'reserved', receipt: `${number} ${padding}` } };
}

async function live(): Promise<void> {
  if (life === 'first') {
    const genesis = { journal: 'recorded', station: 'station-1', created: '2026-11-02T08:00:00Z' };
    await provisionJournal(directory, genesis, { ballastBytes: 4_096 });
    say('provisioned');
  }
  const journal = await openLeveldbJournal({
    directory,
    sha256: nodeCrypto.sha256,
    laboratoryFileSystem: true,
    onWarning: () => undefined,
  });
  say('opened');
  for (let number = 0; number < Number(entries); number++) {
    // Several at once now and then: they share one write.
    const batch = number % 3 === 2 ? [entryOf(number), entryOf(number + 1)] : [entryOf(number)];
    for (const { sequence, hash } of await journal.append(batch)) say(`durable ${sequence} ${hash}`);
  }
  if (life === 'killed') process.kill(process.pid, 'SIGKILL');
  await giveUpSome(journal);
  await journal[Symbol.asyncDispose]();
}

/** The older half, as a station does it: announced, acknowledged, gone. */
async function giveUpSome(journal: Journal): Promise<void> {
  const present: JournalEntry[] = [];
  for await (const entry of journal.read()) present.push(entry);
  const { sequence, hash } = present[present.length >> 1] as JournalEntry;
  const fact = { name: 'cut', nest: null, upTo: { sequence, hash }, counters: {}, checkpoint: null } as const;
  const [cut] = await journal.append([{ at: 0, fact }]);
  if (cut === undefined) return;
  say(`durable ${cut.sequence} ${cut.hash}`);
  await journal.acknowledge(cut.sequence);
  say(`acknowledged ${cut.sequence}`);
  say(`giving up ${sequence}`);
  await journal.giveUp(cut.sequence);
  say(`given up ${sequence}`);
}

await live().catch((error: unknown) => {
  if (!isFault(error)) throw error;
  say(`fault ${error.code} ${JSON.stringify(error.context)}`);
  process.exitCode = 1;
});
