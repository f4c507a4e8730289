import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromText } from '../../runtime/core/bytes.ts';
import { LogMemory } from '../../runtime/station/log-memory.ts';
import { KNOWN_SIZE, logKeys, otherLogKeys, shownInLog, TREE_SIZE } from './log-samples.ts';

const memoryOf = () => new LogMemory({ trusted: [], logKey: logKeys.key, crypto: nodeCrypto });
const seen = (size: number, by = logKeys) => shownInLog(fromText('leaf'), { size, known: 0, by }).checkpoint;

describe('what a station remembers of the log', () => {
  it('is the largest checkpoint that the log signed', () => {
    const memory = memoryOf();
    const before = memory.known;
    assert.equal(before, null);
    for (const note of [seen(KNOWN_SIZE), seen(KNOWN_SIZE - 1), seen(TREE_SIZE, otherLogKeys), 'nothing'])
      memory.keep(note);
    assert.equal(memory.known?.size, KNOWN_SIZE);
  });

  it('is known to the next nest before it asks: of two at a time each is judged from the one before', async () => {
    const memory = memoryOf();
    const asked: (number | undefined)[] = [];
    const ask = (size: number) =>
      memory.inTurn(async () => {
        asked.push(memory.known?.size);
        await new Promise((resolve) => setImmediate(resolve));
        memory.keep(seen(size));
      });
    await Promise.all([ask(5), ask(8), ask(9)]);
    assert.deepEqual(asked, [undefined, 5, 8]);
  });

  it('goes on after a receipt that was refused', async () => {
    const memory = memoryOf();
    const refused = memory.inTurn(() => Promise.reject(new Error('forked')));
    const next = memory.inTurn(async () => 'asked');
    await assert.rejects(refused);
    assert.equal(await next, 'asked');
  });
});
