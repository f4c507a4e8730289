import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createInMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { notingReservations as noting } from '../../runtime/backend/refusals.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import { Fault, type FaultCode } from '../../runtime/core/faults.ts';
import {
  REFUSALS_PER_MINUTE,
  type Refusal,
  RefusalBudget,
  refusalKey,
} from '../../runtime/core/orders/refusal.ts';
import { backendPorts, clock, requestOf } from './quota.ts';

const refusal = (changes: Partial<Refusal> = {}): Refusal => ({
  ...{
    code: 'TICKET_INVALID',
    station: 's-1',
    nest: 'a',
    ticket: 'T',
    ticketHash: 'h',
    eid: 'e',
    subject: 'x',
  },
  ...changes,
});
const spend = (budget: RefusalBudget, of: Refusal, nowMs = 0) =>
  budget.spend(of, refusalKey(of, nodeCrypto), nowMs);
const many = (count: number, changes: (i: number) => Partial<Refusal>) =>
  Array.from({ length: count }, (_, i) => refusal(changes(i)));

describe('the bound on refusals', () => {
  it('writes a refusal once, however often it is asked for, and that takes nothing from the next', () => {
    const budget = new RefusalBudget();
    assert.equal(spend(budget, refusal()), 'write');
    for (const again of many(3 * REFUSALS_PER_MINUTE, () => ({})))
      assert.equal(spend(budget, again), 'known');
    assert.equal(spend(budget, refusal({ eid: 'another' })), 'write');
  });

  it('counts what is too much in a minute, for each station by itself, and begins anew with the next', () => {
    const budget = new RefusalBudget();
    const spent = many(REFUSALS_PER_MINUTE + 3, (i) => ({ eid: `${i}` })).map((one) => spend(budget, one));
    assert.equal(spent.filter((todo) => todo === 'write').length, REFUSALS_PER_MINUTE);
    assert.equal(spend(budget, refusal({ station: 's-2' })), 'write');
    assert.deepEqual(budget.over(59_999), []);
    assert.deepEqual(budget.over(60_000), [{ station: 's-1', minuteMs: 0, codes: { TICKET_INVALID: 3 } }]);
    assert.deepEqual(budget.over(60_000), []);
    assert.equal(spend(budget, refusal({ eid: 'next' }), 60_000), 'write');
  });

  it('writes again what could not be written', () => {
    const budget = new RefusalBudget();
    spend(budget, refusal());
    budget.forget(refusalKey(refusal(), nodeCrypto));
    assert.equal(spend(budget, refusal()), 'write');
  });
});

describe('a refusal in the fleet log', () => {
  const refusing = (code: FaultCode) => async () => {
    throw new Fault(code);
  };

  it('is there once, also when the backend was started again between', async () => {
    const database = createInMemoryFleetDatabase({ clock });
    const { heads } = backendPorts(database.connect());
    for (let life = 0; life < 2; life++) {
      const ports = { ...backendPorts(database.connect()), heads };
      const sequencer = new Sequencer(ports, 16);
      await sequencer.load();
      const reserve = noting(refusing('TICKET_INVALID'), ports, sequencer);
      await assert.rejects(reserve(await requestOf(1), { jws: '', hash: '' }), { code: 'TICKET_INVALID' });
    }
    assert.equal(database.tables.leaves.all().length, 1);
  });

  it('is not told while it cannot be written', async () => {
    const database = createInMemoryFleetDatabase({ clock });
    const ports = backendPorts(database.connect());
    const sequencer = new Sequencer(ports, 16);
    const reserve = noting(refusing('TICKET_INVALID'), ports, sequencer);
    database.setReachable(false);
    await assert.rejects(reserve(await requestOf(1), { jws: '', hash: '' }), { code: 'STORE_UNAVAILABLE' });
    database.setReachable(true);
    await assert.rejects(reserve(await requestOf(1), { jws: '', hash: '' }), { code: 'TICKET_INVALID' });
    assert.equal(database.tables.leaves.all().length, 1);
  });

  it('is none of what is a failure of ours, or an event already', async () => {
    const database = createInMemoryFleetDatabase({ clock });
    const ports = backendPorts(database.connect());
    for (const code of ['STORE_UNAVAILABLE', 'BACKEND_BUSY', 'UNIT_CLONED'] as const) {
      const reserve = noting(refusing(code), ports, new Sequencer(ports, 16));
      await assert.rejects(reserve(await requestOf(1), { jws: '', hash: '' }), { code });
    }
    assert.equal(database.tables.leaves.all().length, 0);
  });
});
