import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault, isFault } from '../../runtime/core/faults.ts';
import { grouped } from '../../runtime/gateway/grouped.ts';

describe('requests in groups', () => {
  it('go together while one group is under way, each with its own answer or refusal', async () => {
    const groups: string[][] = [];
    const ask = grouped(
      async (items: readonly string[]) => {
        groups.push([...items]);
        await Promise.resolve();
        return items.map((item) => (item === 'bad' ? new Fault('CERTIFICATE_REFUSED') : item.toUpperCase()));
      },
      { groupMax: 3, queueMax: 10 },
    );
    const said = await Promise.allSettled(['a', 'bad', 'c', 'd', 'e'].map(ask));
    assert.deepEqual(
      said.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.code)),
      ['A', 'CERTIFICATE_REFUSED', 'C', 'D', 'E'],
    );
    assert.deepEqual(groups, [
      ['a', 'bad', 'c'],
      ['d', 'e'],
    ]);
    assert.equal(await ask('later'), 'LATER');
  });

  it('are never in one group under one name, and keep their order', async () => {
    const groups: string[][] = [];
    const ask = grouped(
      async (items: readonly string[]) => {
        groups.push([...items]);
        return items;
      },
      { groupMax: 9, queueMax: 9, namesOf: (item) => [item.slice(0, 1)] },
    );
    await Promise.all(['a1', 'b1', 'a2', 'a3', 'c1'].map(ask));
    assert.deepEqual(groups, [['a1', 'b1', 'c1'], ['a2'], ['a3']]);
  });

  it('all hear of what ended their group, and the next group goes on; too many are refused', async () => {
    let calls = 0;
    const ask = grouped(
      async (items: readonly number[]) => {
        if (calls++ === 0) throw new Fault('LEDGER_UNAVAILABLE');
        return items;
      },
      { groupMax: 2, queueMax: 3 },
    );
    const said = await Promise.allSettled([1, 2, 3, 4].map(ask));
    assert.deepEqual(
      said.map((one) => (one.status === 'fulfilled' ? one.value : isFault(one.reason) && one.reason.code)),
      ['LEDGER_UNAVAILABLE', 'LEDGER_UNAVAILABLE', 3, 'BACKEND_BUSY'],
    );
  });
});
