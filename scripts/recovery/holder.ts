/** A station's start, and appends until it is killed: `holder.js <directory>`. Says when it was ready and what is durable. */
import { writeSync } from 'node:fs';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal } from '../../drivers/journal/leveldb.ts';
import { Past } from '../../runtime/station/past.ts';
import { startStation } from './plant.ts';

const [directory = ''] = process.argv.slice(2);
const begun = performance.now();
const past = new Past(1);
const journal = await openLeveldbJournal({
  directory,
  sha256: nodeCrypto.sha256,
  laboratoryFileSystem: true,
  onWarning: () => undefined,
  onEntry: (entry) => past.take(entry),
});
const openMs = performance.now() - begun;
await startStation(journal, past);
writeSync(1, `ready ${openMs} ${performance.now() - begun - openMs}\n`);
for (;;) {
  const [entry] = await journal.append([
    { at: Date.now(), fact: { name: 'reserved', nest: 'b', visit: 'visit', receipt: 'x'.repeat(300) } },
  ]);
  writeSync(1, `durable ${entry?.sequence} ${entry?.hash}\n`);
}
