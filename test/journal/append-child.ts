/** Appends one entry after the other and tells each number once it is durable, until it is killed or fails. */
import { writeSync } from 'node:fs';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal } from '../../drivers/journal/leveldb.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { sample } from './samples.ts';

const [directory = '', paddingBytes = '0'] = process.argv.slice(2);

const journal = await openLeveldbJournal({
  directory,
  sha256: nodeCrypto.sha256,
  laboratoryFileSystem: true,
  onWarning: () => undefined,
});
const version = 'x'.repeat(Number(paddingBytes));
for (let number = 0; ; number++) {
  const entry = sample(number);
  try {
    await journal.append([{ ...entry, fact: { ...entry.fact, version } as never }]);
  } catch (error) {
    writeSync(1, `${isFault(error) ? error.code : error}\n`);
    break;
  }
  writeSync(1, `${number}\n`);
}
// Once more on the same handle: only a poisoned one refuses although there may be room again.
await journal.append([sample(0)]).then(
  () => writeSync(1, 'goes on\n'),
  (error) => writeSync(1, `${error.code}\n`),
);
