/** A station's start, and appends until it is killed: `holder.js <directory>`. Says when it was ready and what is durable. */
import { writeSync } from 'node:fs';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal } from '../../drivers/journal/leveldb.ts';
import { startStation } from './plant.ts';

const [directory = ''] = process.argv.slice(2);
const begun = performance.now();
const journal = await openLeveldbJournal({
  directory,
  sha256: nodeCrypto.sha256,
  laboratoryFileSystem: true,
  onWarning: () => undefined,
});
const openMs = performance.now() - begun;
await startStation(journal);
writeSync(1, `ready ${openMs} ${performance.now() - begun - openMs}\n`);
for (;;) {
  const [entry] = await journal.append([
    { at: Date.now(), fact: { name: 'reserved', nest: 'b', visit: 'visit', receipt: 'x'.repeat(300) } },
  ]);
  writeSync(1, `durable ${entry?.sequence} ${entry?.hash}\n`);
}
