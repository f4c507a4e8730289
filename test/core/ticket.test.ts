import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { withCheckDigits } from '../../runtime/core/eid.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { instantMs } from '../../runtime/core/instant.ts';
import { seal } from '../../runtime/core/messages/envelope.ts';
import {
  checkEidRule,
  openTicket,
  type TicketPayload,
  ticketPayload,
  ticketStatement,
} from '../../runtime/core/messages/ticket.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { STATION, signers, stranger, ticket, trusted } from './samples.ts';

const NOW = instantMs('2026-11-22T12:00:00Z');
const signed = (changes: Partial<TicketPayload> = {}, by: Signer = signers['ticket-authority']) =>
  seal(ticketStatement, { ...ticket, ...changes } as never, by, nodeCrypto);
const opened = (jws: string, use = { station: STATION, nowMs: NOW }): TicketPayload =>
  openTicket(jws, use, trusted, nodeCrypto);
const withCode = (code: FaultCode, why?: RegExp) => (error: unknown) =>
  isFault(error) && error.code === code && (why?.test(String(error.context.why)) ?? true);

describe('the production ticket', () => {
  it('is opened for a station that it names, while it is valid', async () => {
    assert.deepEqual(opened(await signed()), ticket);
  });

  it('is refused for a station that it does not name', async () => {
    const jws = await signed();
    const use = { station: 'station-2', nowMs: NOW };
    assert.throws(() => opened(jws, use), withCode('TICKET_INVALID', /other stations/));
  });

  it('is valid from its first to its last millisecond, and not one beside', async () => {
    const jws = await signed();
    const [from, to] = [instantMs(ticket.notBefore), instantMs(ticket.notAfter)];
    for (const nowMs of [from, to]) assert.equal(opened(jws, { station: STATION, nowMs }).ticket, 'T-1');
    for (const nowMs of [from - 1, to + 1])
      assert.throws(() => opened(jws, { station: STATION, nowMs }), withCode('TICKET_INVALID', /validity/));
  });

  it('is believed only from the ticket authority', async () => {
    for (const by of [signers.station, signers.gateway, signers.backend, stranger]) {
      const jws = await signed({}, by);
      assert.throws(() => opened(jws), withCode('TICKET_INVALID', /not signed/));
    }
  });

  it('is refused when it says more or less than a ticket does', async () => {
    for (const changes of [
      { more: 1 },
      { quota: 0 },
      { stations: [] },
      { keyVersion: 0 },
      { generation: 0 },
    ]) {
      const jws = await signed(changes as never);
      assert.throws(() => opened(jws), withCode('TICKET_INVALID'));
    }
  });

  it('covers the EIDs of its range, both ends included, and no other', () => {
    const rule = { from: '890490320000000000000000000010', to: '890490320000000000000000000019' };
    const order = ticketPayload.parse({ ...ticket, eidRule: rule });
    const digits = fc
      .integer({ min: 0, max: 40 })
      .map((n) => `8904903200000000000000000000${String(n).padStart(2, '0')}`);
    fc.assert(
      fc.property(digits, (first) => {
        const check = (): void => checkEidRule(order, withCheckDigits(first));
        if (first >= rule.from && first <= rule.to) assert.doesNotThrow(check);
        else assert.throws(check, withCode('TICKET_EID_REFUSED'));
      }),
    );
  });

  it('names a refused unit by its last four digits only', () => {
    const eid = withCheckDigits('790490320000000000000000000001');
    assert.throws(
      () => checkEidRule(ticket, eid),
      (error) =>
        isFault(error) && !JSON.stringify(error.context).includes(eid) && error.context.eid === eid.slice(-4),
    );
  });
});
