/**
 * Fills the small disk that it is given, and says step by step what became of the journal on it: one line of JSON each. For
 * a mount namespace of its own.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { provisionJournal } from '../../drivers/journal/leveldb.ts';
import { freeBytes } from '../../drivers/journal/space.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import { cutEntry } from '../contracts/journal-cut.contract.ts';
import { placeAt } from './place.ts';
import { collect, genesis, numberOf, sample } from './samples.ts';

const MIB = 1024 * 1024;
const room = { freeBytesMin: MIB, ballastBytes: 12 * MIB };
const [disk = ''] = process.argv.slice(2);
const directory = join(disk, 'journal');
const filler = join(disk, 'filler');

const say = (what: object): number => writeSync(1, `${JSON.stringify(what)}\n`);
/** Code of the fault that it ends with, null when it ends with none. */
const codeOf = async (work: () => Promise<unknown>): Promise<string | null> => {
  try {
    await work();
    return null;
  } catch (error) {
    return isFault(error) ? error.code : String(error);
  }
};
const openAndClose = async (): Promise<void> => {
  const journal = await placeAt(directory).open();
  await journal[Symbol.asyncDispose]();
};
/** Something else takes the disk, up to what is left. */
const fill = (leftBytes: number): void => {
  const file = openSync(filler, 'a');
  while (freeBytes(disk) > leftBytes + MIB) writeSync(file, Buffer.alloc(MIB));
  for (let size = leftBytes > 0 ? 0 : MIB; size >= 1; size >>= 1)
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch {
      // Smaller pieces still fit.
    }
  closeSync(file);
};
const remount = (how: 'ro' | 'rw'): number | null =>
  spawnSync('mount', ['-o', `remount,${how}`, disk]).status;

/** What a station does when it may begin no unit: the older half goes. */
const giveUpHalf = async (journal: Journal): Promise<void> => {
  const [upTo] = (await collect(journal.read())).slice(acknowledged.length >> 1);
  const [cut] = await journal.append([cutEntry(upTo?.sequence ?? 0, upTo?.hash ?? '')]);
  await journal.acknowledge(cut?.sequence ?? 0);
  await journal.giveUp(cut?.sequence ?? 0);
};

await provisionJournal(directory, genesis, room);
fill(7 * MIB);
const acknowledged: number[] = [];
{
  const journal = await placeAt(directory).open(room);
  const code = await codeOf(async () => {
    for (let number = 0; ; number++) {
      const entry = sample(number);
      // LevelDB compresses its tables.
      const version = randomBytes(15_000).toString('base64');
      await journal.append([{ ...entry, fact: { ...entry.fact, version } as never }]);
      acknowledged.push(number);
    }
  });
  say({ step: 'filled', code, acknowledged: acknowledged.length });
  rmSync(filler, { force: true });
  say({ step: 'same handle', code: await codeOf(() => journal.append([sample(0)])) });
  await journal[Symbol.asyncDispose]();
}
fill(0);
say({ step: 'opened without the reserve', code: await codeOf(openAndClose), free: freeBytes(disk) });
{
  const place = placeAt(directory);
  await using journal = await place.open(room);
  const stored = (await collect(journal.read())).map(numberOf);
  say({
    step: 'opened with the reserve',
    kept: acknowledged.every((number, i) => stored[i] === number),
    warned: place.warnings.some((warning) => warning.includes('the reserve is given up')),
  });
  say({ step: 'another unit', code: await codeOf(() => journal.requireRoom()) });
  say({ step: 'the unit in work', code: await codeOf(() => journal.append([sample(1)])) });
  say({ step: 'giving up entries', code: await codeOf(() => giveUpHalf(journal)) });
  rmSync(filler);
  say({ step: 'another unit, with space', code: await codeOf(() => journal.requireRoom()) });
  const ballast = join(directory, 'ballast');
  say({ step: 'the reserve', whole: existsSync(ballast) && statSync(ballast).size === room.ballastBytes });
}
say({ step: 'remounted', status: remount('ro') });
say({ step: 'opened while read-only', code: await codeOf(openAndClose) });
say({ step: 'remounted', status: remount('rw') });
say({ step: 'opened again', code: await codeOf(openAndClose) });
