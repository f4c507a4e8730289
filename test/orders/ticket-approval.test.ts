import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { instantMs } from '../../runtime/core/instant.ts';
import { seal } from '../../runtime/core/messages/envelope.ts';
import {
  openApprovedTicket,
  orderForm,
  orderHash,
  type TicketPayload,
  ticketStatement,
} from '../../runtime/core/messages/ticket.ts';
import type { Crypto } from '../../runtime/core/ports.ts';
import { STATION, signers, ticket, trusted } from '../core/samples.ts';
import { approval, officerKeys, quorum } from './officers.ts';

const NOW = instantMs('2026-11-22T12:00:00Z');
const keys = [...trusted, ...officerKeys];
const subject = orderHash(ticket, nodeCrypto);
const signed = (approvals: readonly string[], changes: Partial<TicketPayload> = {}) =>
  seal(
    ticketStatement,
    { ...ticket, ...changes, approvals: [...approvals] },
    signers['ticket-authority'],
    nodeCrypto,
  );
const opened = (jws: string, judge = quorum, nowMs = NOW, crypto: Crypto = nodeCrypto) =>
  openApprovedTicket(jws, { station: STATION, nowMs, quorum: judge }, keys, crypto);
const withCode = (code: FaultCode, why?: RegExp) => (error: unknown) =>
  isFault(error) && error.code === code && (why?.test(String(error.context.why)) ?? true);

describe('a ticket under dual control', () => {
  it('is opened when the quorum approved exactly its order', async () => {
    const jws = await signed([await approval('ada', subject), await approval('bob', subject)]);
    assert.equal(opened(jws).ticket, 'T-1');
  });

  it('is refused when an officer is missing, however good the authority’s signature', async () => {
    const one = await signed([await approval('ada', subject)]);
    const none = await signed([]);
    for (const jws of [one, none]) assert.throws(() => opened(jws), withCode('APPROVALS_MISSING'));
  });

  it('is refused when any word of the order is another than was approved', async () => {
    const approvals = [await approval('ada', subject), await approval('bob', subject)];
    const changes: readonly Partial<TicketPayload>[] = [
      { quota: 11 },
      { unitsPerHour: 601 },
      { stations: [STATION, 'station-2'] },
      { eidRule: { prefix: '8' } },
      { profile: 'production' },
      { cardProfile: 'another' },
      { notAfter: '2026-11-23T00:00:01Z' },
      { ticket: 'T-2' },
    ];
    for (const change of changes) {
      const jws = await signed(approvals, change);
      assert.throws(
        () => opened(jws),
        withCode('APPROVAL_REFUSED', /something else/),
        JSON.stringify(change),
      );
    }
  });

  it('is refused with approvals replayed from another purpose, or one officer’s twice', async () => {
    const ada = await approval('ada', subject);
    const forClosing = await approval('bob', subject, { purpose: 'close-out' });
    const again = await approval('ada', subject, { reason: 'again' });
    for (const second of [forClosing, again, await approval('eve', subject)]) {
      const jws = await signed([ada, second]);
      assert.throws(() => opened(jws), withCode('APPROVAL_REFUSED'));
    }
  });

  it('is judged as its approvals stood when it was signed, and stays good after they end', async () => {
    const approvals = [await approval('ada', subject), await approval('bob', subject)];
    const late = await signed(approvals, { signedAt: '2026-11-22T06:00:00.001Z' });
    assert.throws(() => opened(late), withCode('APPROVAL_REFUSED', /no longer valid/));
    const inTime = await signed(approvals, { signedAt: '2026-11-22T06:00:00.000Z' });
    assert.equal(opened(inTime).ticket, 'T-1');
  });

  it('is refused while its signature is of the future', async () => {
    const approvals = [
      await approval('ada', subject, { notAfter: '2026-11-23T00:00:00Z' }),
      await approval('bob', subject, { notAfter: '2026-11-23T00:00:00Z' }),
    ];
    const jws = await signed(approvals, { signedAt: '2026-11-22T12:05:00.001Z' });
    assert.throws(() => opened(jws), withCode('TICKET_INVALID', /later than now/));
    assert.equal(opened(jws, quorum, NOW + 1).ticket, 'T-1');
  });

  it('is judged by each program with its own quorum', async () => {
    const jws = await signed([await approval('ada', subject), await approval('bob', subject)]);
    opened(jws);
    const stricter = { required: 2, officers: ['ada', 'eve'] };
    assert.throws(() => opened(jws, stricter), withCode('APPROVAL_REFUSED', /not an officer/));
  });

  it('costs one verification for each signature once, and nothing for the units after', async () => {
    const jws = await signed([await approval('ada', subject), await approval('bob', subject)], {
      batch: 'B-2',
    });
    const other = orderHash({ ...ticket, batch: 'B-2' }, nodeCrypto);
    const good = await signed([await approval('ada', other), await approval('bob', other)], { batch: 'B-2' });
    assert.throws(() => opened(jws), withCode('APPROVAL_REFUSED'));
    const cost = { verified: 0, hashed: 0 };
    const counting: Crypto = {
      ...nodeCrypto,
      verifyP256: (...args) => {
        cost.verified += 1;
        return nodeCrypto.verifyP256(...args);
      },
      sha256: (bytes) => {
        cost.hashed += 1;
        return nodeCrypto.sha256(bytes);
      },
    };
    opened(good, quorum, NOW, counting);
    assert.equal(cost.verified, 3);
    const first = { ...cost };
    for (let unit = 0; unit < 50; unit++) opened(good, quorum, NOW, counting);
    assert.deepEqual(cost, first);
  });
});

describe('an order', () => {
  it('is hashed alike as officers see it and inside its ticket', () => {
    const { signedAt: _, approvals: __, ...order } = ticket;
    assert.equal(orderHash(orderForm.parse(order), nodeCrypto), subject);
    assert.equal(orderHash({ ...ticket, signedAt: '2027-01-01T00:00:00Z' }, nodeCrypto), subject);
  });

  it('is no order when it ends before it begins', () => {
    const { signedAt: _, approvals: __, ...order } = ticket;
    assert.ok(!orderForm.safeParse({ ...order, notAfter: order.notBefore }).success);
  });
});
