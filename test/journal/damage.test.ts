import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { crc32c, judgeLog } from '../../drivers/journal/log-scan.ts';
import { fault } from '../contracts/journal.contract.ts';
import { written } from './place.ts';
import { collect, flip, intent, logOf, numberOf, sample, samples } from './samples.ts';

const lengthOf = (file: string): number => readFileSync(file).length;

describe('a damaged log', () => {
  it('stops the opening before LevelDB touches anything, when whole records follow the damage', async () => {
    using place = await written(samples(6));
    flip(place.log(), 'shift 2');
    const before = readdirSync(join(place.directory, 'store'));
    const bytes = readFileSync(place.log());
    await assert.rejects(place.open(), fault('JOURNAL_DAMAGED'));
    assert.deepEqual(readdirSync(join(place.directory, 'store')), before);
    assert.deepEqual(readFileSync(place.log()), bytes);
  });

  it('is kept as evidence when only its end is cut off, and the chain goes on', async () => {
    using place = await written(samples(6), { stop: 'killed' });
    truncateSync(place.log(), lengthOf(place.log()) - 3);
    const torn = readFileSync(place.log());
    const name = basename(place.log());
    await using journal = await place.open();
    assert.deepEqual((await collect(journal.read())).map(numberOf), [0, 1, 2, 3, 4]);
    assert.equal(place.warnings.length, 1);
    assert.deepEqual(readFileSync(join(place.directory, 'rescue', '1', name)), torn);
    assert.equal((await journal.append([sample(5)]))[0]?.sequence, 5);
  });

  it('is judged whole, torn or damaged as it is', async () => {
    using place = await written(samples(4));
    const log = readFileSync(place.log());
    assert.equal(judgeLog(log), 'whole');
    assert.equal(judgeLog(Buffer.alloc(0)), 'whole');
    for (let cut = 1; cut < 200; cut++) assert.equal(judgeLog(log.subarray(0, log.length - cut)), 'torn');
    assert.equal(judgeLog(Buffer.concat([log, Buffer.alloc(500)])), 'torn');
    for (let at = 0; at < log.length / 2; at += 7) {
      const flipped = Buffer.from(log);
      flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at);
      assert.equal(judgeLog(flipped), 'damaged', `byte ${at}`);
    }
  });

  it('RFC 3720 appendix B.4: CRC32C of zeros, ones and an ascending run', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  });
});

describe('the witness', () => {
  it('misses an intent that the store has lost without a trace', async () => {
    using place = await written([...samples(3), intent]);
    flip(place.log(), 'put-key');
    await assert.rejects(place.open(), fault('JOURNAL_DAMAGED'));
    using empty = await written([intent]);
    writeFileSync(empty.log(), '');
    await assert.rejects(empty.open(), fault('JOURNAL_DAMAGED'));
  });

  it('misses an intent whose log was cut exactly before it', async () => {
    using place = await written(samples(3));
    const whole = lengthOf(place.log());
    const bytes = readFileSync(place.log());
    const name = place.log();
    {
      await using journal = await place.open();
      await journal.append([intent]);
    }
    assert.ok(!existsSync(name), 'opening begins a new log');
    writeFileSync(logOf(place.directory), bytes.subarray(0, whole));
    await assert.rejects(place.open(), fault('JOURNAL_DAMAGED'));
  });

  it('survives a torn write of one slot, and is damage itself when both are gone', async () => {
    using place = await written([...samples(2), intent, intent]);
    const file = join(place.directory, 'witness');
    const bytes = readFileSync(file);
    assert.equal(bytes.length, 8192);
    for (const slot of [0, 1]) {
      const torn = Buffer.from(bytes);
      torn.fill(0, slot * 4096, slot * 4096 + 512);
      writeFileSync(file, torn);
      await (await place.open())[Symbol.asyncDispose]();
    }
    writeFileSync(file, Buffer.alloc(8192));
    await assert.rejects(place.open(), fault('JOURNAL_DAMAGED'));
    rmSync(file);
    await assert.rejects(place.open(), fault('JOURNAL_DAMAGED'));
  });

  it('overwrites the older slot, also after opening anew', async () => {
    using place = await written([intent]);
    const file = join(place.directory, 'witness');
    const sequences = () =>
      [0, 1].map(
        (slot) =>
          JSON.parse(
            readFileSync(file)
              .subarray(slot * 4096)
              .toString()
              .split(' ')[0] ?? '',
          ).sequence,
      );
    assert.deepEqual(sequences().sort(), [-1, 0]);
    for (const next of [1, 2, 3]) {
      await using journal = await place.open();
      await journal.append([intent]);
      assert.deepEqual(sequences().sort(), [next - 1, next]);
    }
  });
});
