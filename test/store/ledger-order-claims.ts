/** What every gateway ledger keeps of orders. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { DialogueRow, GatewayLedger } from '../../runtime/core/store/ledger.ts';
import { unique } from './fleet-rows.ts';

const PLENTY = { quota: 1000, attemptsMax: 1000 };

export function keepsOrders(
  ledger: () => GatewayLedger,
  any: (i: number) => GatewayLedger,
  dialogue: () => DialogueRow,
): void {
  it('keeps each refusal once, and lists those of a ticket', async () => {
    const ticket = unique('t');
    const refusal = { station: 's', code: 'TICKET_INVALID', ticket, eid: 'e', entry: '{}', at: 'now' };
    const rows = [unique('refusal'), unique('refusal')].map((key) => ({ key, ...refusal }));
    const elsewhere = { ...refusal, key: unique('refusal'), ticket: '' };
    await Promise.all([...rows, ...rows, elsewhere].map((row, i) => any(i).noteRefusal(row)));
    assert.deepEqual(await ledger().refusalsOf(ticket, '', 10), rows);
    assert.deepEqual(await ledger().refusalsOf(ticket, rows[0]?.key ?? '', 10), rows.slice(1));
    assert.deepEqual(await ledger().refusalsOf(ticket, '', 1), rows.slice(0, 1));
    await ledger().noteRefusal({ ...refusal, key: unique('refusal'), code: 'CARD_CHANGED' });
    assert.deepEqual(await ledger().countRefusals(ticket), [
      { code: 'CARD_CHANGED', count: 1 },
      { code: 'TICKET_INVALID', count: 2 },
    ]);
  });

  it('lists the units of a ticket, how far each came, a page at a time', async () => {
    const ticket = unique('t');
    const [begun, made] = [dialogue(), dialogue()];
    for (const row of [begun, made]) await ledger().admit({ ...row, ticket }, PLENTY);
    await ledger().admit({ ...made, dialogue: unique('d'), epoch: made.epoch + 1, ticket }, PLENTY);
    await ledger().admit({ ...dialogue(), ticket: unique('t') }, PLENTY);
    const { operation, eid } = made;
    const of = { operation, epoch: made.epoch + 1 };
    await ledger().intend({ ...of, dialogue: made.dialogue, step: 'put-key', detail: '', at: 'now' });
    await ledger().conclude({ ...of, kind: 'confirmation', jws: 'j', eid, at: 'now', transcript: '{}' });
    const expected = [
      { operation: begun.operation, eid: begun.eid, derived: false, confirmedEpoch: 0, verdictEpoch: 0 },
      { operation, eid, derived: true, confirmedEpoch: made.epoch + 1, verdictEpoch: 0 },
    ];
    assert.deepEqual(await ledger().ticketUnits(ticket, '', 10), expected);
    assert.deepEqual(await ledger().ticketUnits(ticket, '', 1), expected.slice(0, 1));
    assert.deepEqual(await ledger().ticketUnits(ticket, begun.operation, 10), expected.slice(1));
  });
}
