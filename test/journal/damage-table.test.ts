/**
 * Every damage that a journal was seen to suffer, on one that was stopped and on one that was killed: what is harmful
 * is refused in words that a technician can act on, with the store as it was still there; what is harmless loses nothing.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { openLeveldb } from '../../drivers/journal/leveldb-store.ts';
import { recordsOf } from '../../drivers/journal/log-scan.ts';
import { faultText } from '../../runtime/core/fault-text.ts';
import { type Fault, isFault } from '../../runtime/core/faults.ts';
import { type Damage, harmful, harmless } from './damages.ts';
import { cloneJournal, placeAt, written } from './place.ts';
import { collect, genesis, intent, numberOf, samples } from './samples.ts';

/** Entries in tables, and behind them in the log; the last is an intent, as before each change of a card. */
const IN_TABLES = 120;
const IN_LOG = 40;
const FLIPS = 60;
const FLIP_SEED = process.env.FLIP_SEED ?? '1';

const top = mkdtempSync(join(tmpdir(), 'journal-table-'));
const masters = { clean: join(top, 'clean'), killed: join(top, 'killed') };
const others = { foreign: join(top, 'foreign'), earlier: join(top, 'earlier') };
/** What each holds. */
const numbers: Record<keyof typeof masters, readonly number[]> = { clean: [], killed: [] };

before(async () => {
  using foreign = await written([...samples(90), intent], {
    genesis: { ...genesis, station: 'station-2', journal: 'journal-of-station-2' },
  });
  cloneJournal(foreign.directory, others.foreign);
  using place = await written(samples(IN_TABLES));
  cloneJournal(place.directory, others.earlier);
  // Opening turns the log into a table.
  await using journal = await place.open();
  for (const entry of samples(IN_LOG, IN_TABLES)) await journal.append([entry]);
  await journal.append([intent]);
  cloneJournal(place.directory, masters.killed);
  numbers.killed = (await collect(journal.read())).map(numberOf);
  // What follows an intent only the stop itself remembers.
  await journal.append(samples(1, 999));
  numbers.clean = (await collect(journal.read())).map(numberOf);
  await journal[Symbol.asyncDispose]();
  cloneJournal(place.directory, masters.clean);
});
after(() => rmSync(top, { recursive: true }));

let copies = 0;
function damaged(master: string, damage: Damage): string {
  const directory = join(top, String(++copies));
  cloneJournal(master, directory);
  const own = { foreign: join(top, `${copies}-foreign`), earlier: join(top, `${copies}-earlier`) };
  for (const other of ['foreign', 'earlier'] as const) cloneJournal(others[other], own[other]);
  damage(directory, own);
  return directory;
}

/** Names and bytes of LevelDB's files, apart from its diary and its lock. */
function contentOf(store: string): string {
  if (!existsSync(store)) return 'none';
  const hash = createHash('sha256');
  for (const name of readdirSync(store).sort())
    if (!/^LO(?:CK|G)/.test(name)) hash.update(`${name}\n`).update(readFileSync(join(store, name)));
  return hash.digest('hex');
}

/** The fault that refuses an opening, or null and every entry is there. */
async function refusal(directory: string, stop: keyof typeof masters): Promise<Fault | null> {
  try {
    await using journal = await placeAt(directory).open();
    assert.deepEqual((await collect(journal.read())).map(numberOf), numbers[stop]);
    return null;
  } catch (error) {
    if (isFault(error)) return error;
    throw error;
  }
}

for (const stop of ['clean', 'killed'] as const)
  describe(`a journal whose station was ${stop === 'clean' ? 'stopped' : 'killed'}`, () => {
    for (const [name, damage] of Object.entries(harmful))
      it(`is refused when ${name}, and the store as it was is kept`, async () => {
        const directory = damaged(masters[stop], damage);
        const before = contentOf(join(directory, 'store'));
        for (let opening = 1; opening <= 3; opening++) {
          const fault = await refusal(directory, stop);
          assert.equal(fault?.code, 'JOURNAL_DAMAGED', `opening ${opening} lost entries`);
          assert.match(faultText(fault), /Cause: .+\n.*Remedy: .*Copy the directory and call support/s);
        }
        const kept = [join(directory, 'store'), join(directory, 'rescue', '1')].map(contentOf);
        assert.ok(kept.includes(before), 'nothing is left of the store as it was damaged');
        const copies = join(directory, 'rescue');
        assert.ok(readdirSync(copies).length <= (stop === 'clean' ? 1 : 2), 'each try leaves a copy');
      });

    for (const [name, damage] of Object.entries(harmless))
      it(`opens with every entry when ${name}`, async () => {
        const directory = damaged(masters[stop], damage);
        assert.equal(await refusal(directory, stop), null);
        assert.equal(await refusal(directory, stop), null);
      });

    it(`has every entry or is refused when any one bit is flipped (seed ${FLIP_SEED})`, async () => {
      const entropy = createSimulatedEntropy(`flips/${FLIP_SEED}/${stop}`);
      let refused = 0;
      for (let i = 0; i < FLIPS; i++) {
        const files = readdirSync(masters[stop], { recursive: true, encoding: 'utf8' }).filter(
          (name) => /witness|genesis|running|CURRENT|MANIFEST|\.ldb|\.log/.test(name) && !/rescue/.test(name),
        );
        const file = files[Math.floor(entropy.fraction() * files.length)] ?? '';
        const at = Math.floor(entropy.fraction() * readFileSync(join(masters[stop], file)).length);
        const bit = 1 << Math.floor(entropy.fraction() * 8);
        const directory = damaged(masters[stop], (copy) => flipBit(join(copy, file), at, bit));
        const fault = await refusal(directory, stop);
        if (fault !== null) refused += 1;
        assert.ok([undefined, 'JOURNAL_DAMAGED'].includes(fault?.code), `${file} byte ${at}: ${fault?.code}`);
        rmSync(directory, { recursive: true });
      }
      assert.ok(refused > FLIPS / 4, `only ${refused} of ${FLIPS} flips hit anything`);
    });
  });

describe('a table of another length', () => {
  it('is named before anybody reads it: of a file that is shorter than it was a process dies by SIGBUS', async () => {
    for (const name of ['a table is cut', 'a table is emptied']) {
      const directory = damaged(masters.clean, harmful[name] ?? assert.fail(name));
      const fault = await refusal(directory, 'clean');
      assert.match(String(fault?.context.file), /^\d+\.ldb$/);
      assert.ok(!existsSync(join(directory, 'running')), 'it came as far as LevelDB');
    }
  });
});

describe('what LevelDB would open without a word', () => {
  const countIn = async (directory: string): Promise<number> => {
    const store = await openLeveldb(join(directory, 'store'), {
      createIfMissing: false,
      errorIfExists: false,
    });
    const entries = (await collect(store.range({ gte: 'j!', lt: 'j"' }))).flat();
    await store.close();
    return entries.length;
  };

  it('is a log that is changed in its middle', async () => {
    const directory = damaged(masters.killed, harmful['the log is changed in its middle'] ?? assert.fail());
    assert.ok((await countIn(directory)) < numbers.killed.length, 'the table above would prove nothing');
  });

  it('is a list of files that has lost its last record: it is refused here, with nothing touched', async () => {
    const padding = 'x'.repeat(200_000);
    const entries = samples(30).map((entry) => ({ ...entry, fact: { ...entry.fact, version: padding } }));
    using place = await written(entries as never, { stop: 'killed' });
    const list = join(
      place.directory,
      'store',
      readFileSync(join(place.directory, 'store', 'CURRENT'), 'utf8').trim(),
    );
    const bytes = readFileSync(list);
    const last = recordsOf(bytes).at(-1) ?? assert.fail();
    writeFileSync(list, bytes.subarray(0, bytes.length - last.length - 7));
    const plain = `${place.directory}-plain`;
    cloneJournal(place.directory, plain);
    assert.ok((await countIn(plain)) < entries.length, 'LevelDB says nothing');
    const before = contentOf(join(place.directory, 'store'));
    const fault = await refusal(place.directory, 'killed');
    assert.equal(fault?.code, 'JOURNAL_DAMAGED');
    assert.match(String(fault.context.file), /^\d+\.log$/);
    assert.equal(contentOf(join(place.directory, 'store')), before);
  });
});

function flipBit(file: string, at: number, bit: number): void {
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(at) ^ bit, at);
  writeFileSync(file, bytes);
}
