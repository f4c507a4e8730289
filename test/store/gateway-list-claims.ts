/** Claims about what gateways share besides units: the mark of the ledger, and the list of stations. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GatewayLedger } from '../../runtime/core/store/ledger.ts';

export function countsItsMark(any: (i: number) => GatewayLedger): void {
  it('counts its mark for every gateway, and not where somebody was told of a higher one', async () => {
    assert.equal(await any(0).raiseMark(1), null, 'a ledger without a mark is older than any that has one');
    const first = (await any(0).raiseMark(0)) ?? assert.fail();
    assert.equal(await any(1).raiseMark(first), first + 1);
    assert.equal(await any(0).raiseMark(first), first + 2);
    assert.equal(await any(1).raiseMark(first + 3), null);
    assert.equal(await any(1).raiseMark(first + 2), first + 3);
    const marks = await Promise.all(Array.from({ length: 20 }, (_, i) => any(i).raiseMark(first)));
    assert.equal(new Set(marks).size, 20);
  });
}

export function keepsStationLists(any: (i: number) => GatewayLedger): void {
  it('keeps the list of stations with the highest number, for every gateway', async () => {
    assert.equal(await any(0).stationList(-1), null);
    assert.equal(await any(0).keepStationList(2, 'two'), 'two');
    assert.equal(await any(1).stationList(1), 'two');
    assert.equal(await any(1).stationList(2), null);
    assert.equal(await any(1).keepStationList(1, 'one'), 'two');
    assert.equal(await any(1).keepStationList(2, 'two again'), 'two again');
    assert.equal(await any(1).keepStationList(3, 'three'), 'three');
    assert.equal(await any(0).stationList(2), 'three');
  });
}
