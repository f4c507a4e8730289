/** What every fleet store keeps of operators, and what it forgets. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isFault } from '../../runtime/core/faults.ts';
import type { FleetStore, FleetTransaction } from '../../runtime/core/store/fleet.ts';
import { unique } from './fleet-rows.ts';

export function operatorsAreKept(store: () => FleetStore): void {
  const conflicts = (key: string, insert: (tx: FleetTransaction) => Promise<void>) =>
    assert.rejects(store().transaction(insert), (error) => {
      assert.ok(isFault(error) && error.code === 'STORE_UNAVAILABLE');
      return error.context.key === key;
    });

  it('ends the key of an operator once, deletes it for good, and keeps that there was an operator', async () => {
    const pseudonym = unique('op');
    const row = { pseudonym, key: new Uint8Array(32).fill(7), name: 'Ada', removedAt: null };
    const history = { pseudonym, orderHash: unique('order'), registeredAt: '2026-11-22T12:00:00.000Z' };
    const removedAt = '2026-11-22T13:00:00.000Z';
    const kept = () => store().transaction((tx) => tx.operatorKey(pseudonym));
    await store().transaction(async (tx) => {
      await tx.insertOperator(history);
      await tx.insertOperatorKey(row);
    });
    await conflicts('operator_pseudonym', (tx) =>
      tx.insertOperator({ ...history, orderHash: unique('order') }),
    );
    await conflicts('operator_order_hash', (tx) =>
      tx.insertOperator({ ...history, pseudonym: unique('op') }),
    );
    await conflicts('operator_key_pseudonym', (tx) => tx.insertOperatorKey(row));
    const before = await kept();
    assert.deepEqual({ ...before, key: [...(before?.key ?? [])] }, { ...row, key: [...row.key] });
    const end = () => store().transaction((tx) => tx.endOperatorKey(pseudonym, removedAt));
    assert.deepEqual([await end(), await end()], [true, false]);
    assert.equal((await kept())?.removedAt, removedAt);
    const forget = () => store().transaction((tx) => tx.deleteOperatorKey(pseudonym));
    assert.deepEqual([await forget(), await forget(), await kept()], [true, false, null]);
    const [known, keys] = await store().transaction(async (tx) => [
      await tx.operatorByOrder(history.orderHash),
      await tx.operatorKeys(),
    ]);
    assert.deepEqual(known, history);
    assert.equal(
      keys.some((key) => key.pseudonym === pseudonym),
      false,
    );
  });
}
